// The script actor: an FVM actor that runs a list of raw syscalls taken from its params.
// ERA is 2 (nv16-17), 3 (nv18-20) or 4 (nv21 on). The compiled actor is in the states of fuzz/worlds.

typedef unsigned char u8;
typedef unsigned u32;
typedef int i32;
typedef unsigned long long u64;
typedef long long i64;

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name))) extern

// Fixed addresses. The C stack lies below LOG.
#define LOG 0x8000u
#define LOG_MAX 0x1000u
#define SELF 0x9000u // block stat of the params
#define RECORDS 0x10000u
#define DATA 0x20000u
#define PARAMS 0x30000u
#define PARAMS_MAX 0x10000u

#define ARGS 9
#define RECORD 80u // an unpacked record: u32 op, u32 flags, 9 x i64
#define COUNT_MAX 800u

// Flags: bit k (0..8): argument k is the u32 in memory at that address; bit 9+k: the u64.
#define NO_LOG (1u << 18)
#define IF_OK (1u << 19)   // run only if the last result was 0
#define IF_FAIL (1u << 20) // run only if the last result was not 0

#if ERA == 2
IMPORT("vm", "abort") u32 vm_abort(u32, u32, u32);
IMPORT("vm", "context") u32 vm_context(u32);
IMPORT("network", "base_fee") u32 network_base_fee(u32);
IMPORT("self", "self_destruct") u32 self_destruct(u32, u32);
IMPORT("actor", "new_actor_address") u32 next_actor_address(u32, u32, u32);
IMPORT("actor", "create_actor") u32 create_actor(u64, u32);
IMPORT("crypto", "verify_seal") u32 verify_seal(u32, u32, u32);
IMPORT("gas", "charge") u32 gas_charge(u32, u32, i64);
IMPORT("send", "send") u32 send_send(u32, u32, u32, u64, u32, u64, u64);
#else
IMPORT("vm", "exit") u32 vm_exit(u32, u32, u32, u32);
IMPORT("vm", "message_context") u32 vm_context(u32);
IMPORT("network", "context") u32 network_context(u32);
IMPORT("network", "tipset_cid") u32 network_tipset_cid(u32, i64, u32, u32);
IMPORT("actor", "lookup_delegated_address") u32 lookup_delegated_address(u32, u64, u32, u32);
IMPORT("actor", "next_actor_address") u32 next_actor_address(u32, u32, u32);
IMPORT("actor", "create_actor") u32 create_actor(u64, u32, u32, u32);
IMPORT("actor", "balance_of") u32 balance_of(u32, u64);
IMPORT("gas", "charge") u32 gas_charge(u32, u32, u64);
IMPORT("gas", "available") u32 gas_available(u32);
IMPORT("send", "send") u32 send_send(u32, u32, u32, u64, u32, u64, u64, u64, u64);
#endif
#if ERA == 3
IMPORT("self", "self_destruct") u32 self_destruct(u32, u32);
IMPORT("event", "emit_event") u32 emit_event(u32, u32);
#endif
#if ERA == 4
IMPORT("self", "self_destruct") u32 self_destruct(u32);
IMPORT("event", "emit_event") u32 emit_event(u32, u32, u32, u32, u32, u32);
IMPORT("rand", "get_chain_randomness") u32 chain_randomness(u32, i64);
IMPORT("rand", "get_beacon_randomness") u32 beacon_randomness(u32, i64);
IMPORT("crypto", "verify_bls_aggregate") u32 verify_bls_aggregate(u32, u32, u32, u32, u32, u32);
#else
IMPORT("rand", "get_chain_randomness") u32 chain_randomness(u32, i64, i64, u32, u32);
IMPORT("rand", "get_beacon_randomness") u32 beacon_randomness(u32, i64, i64, u32, u32);
#endif
IMPORT("network", "total_fil_circ_supply") u32 circ_supply(u32);
IMPORT("ipld", "block_open") u32 block_open(u32, u32);
IMPORT("ipld", "block_create") u32 block_create(u32, u64, u32, u32);
IMPORT("ipld", "block_read") u32 block_read(u32, u32, u32, u32, u32);
IMPORT("ipld", "block_stat") u32 block_stat(u32, u32);
IMPORT("ipld", "block_link") u32 block_link(u32, u32, u64, u32, u32, u32);
IMPORT("self", "root") u32 self_root(u32, u32, u32);
IMPORT("self", "set_root") u32 self_set_root(u32);
IMPORT("self", "current_balance") u32 current_balance(u32);
IMPORT("actor", "resolve_address") u32 resolve_address(u32, u32, u32);
IMPORT("actor", "get_actor_code_cid") u32 get_actor_code_cid(u32, u64, u32, u32);
IMPORT("actor", "get_builtin_actor_type") u32 get_builtin_actor_type(u32, u32);
IMPORT("actor", "get_code_cid_for_type") u32 get_code_cid_for_type(u32, i32, u32, u32);
IMPORT("crypto", "verify_signature") u32 verify_signature(u32, u32, u32, u32, u32, u32, u32, u32);
IMPORT("crypto", "recover_secp_public_key") u32 recover_secp(u32, u32, u32);
IMPORT("crypto", "hash") u32 crypto_hash(u32, u64, u32, u32, u32, u32);
IMPORT("crypto", "compute_unsealed_sector_cid") u32 unsealed_sector_cid(u32, i64, u32, u32, u32, u32);
IMPORT("crypto", "verify_post") u32 verify_post(u32, u32, u32);
IMPORT("crypto", "verify_consensus_fault") u32 verify_consensus_fault(u32, u32, u32, u32, u32, u32, u32);
IMPORT("crypto", "verify_aggregate_seals") u32 verify_aggregate_seals(u32, u32, u32);
IMPORT("crypto", "verify_replica_update") u32 verify_replica_update(u32, u32, u32);
IMPORT("crypto", "batch_verify_seals") u32 batch_verify_seals(u32, u32, u32);
IMPORT("debug", "log") u32 debug_log(u32, u32);
IMPORT("debug", "enabled") u32 debug_enabled(u32);
IMPORT("debug", "store_artifact") u32 debug_store_artifact(u32, u32, u32, u32);

#define AT8(a) (*(volatile u8 *)(u32)(a))
#define AT32(a) (*(volatile u32 *)(u32)(a))
#define AT64(a) (*(volatile u64 *)(u32)(a))

static u32 log_len;

static void log32(u32 v) {
	if (log_len + 4 > LOG_MAX) return;
	AT32(LOG + log_len) = v;
	log_len += 4;
}

static u32 fnv(u32 at, u32 len) {
	u64 h = 14695981039346656037ull;
	for (u32 i = 0; i < len; i++) h = (h ^ AT8(at + i)) * 1099511628211ull;
	log32((u32)h);
	return (u32)(h >> 32);
}

static u32 burn(u32 n) {
	u32 x = 1;
	for (volatile u32 i = 0; i < n; i++) x = x * 1664525u + 1013904223u;
	return x;
}

__attribute__((noinline)) static u32 recurse(volatile u32 *depth, u32 n) {
	if (n == 0) return 0;
	*depth += 1;
	u32 r = recurse(depth, n - 1);
	return (r ^ n) * 3 + 1;
}

// Functions for call_indirect; their table indexes are logged by CALL_INDIRECT with index 0.
__attribute__((noinline)) static u32 twice(u32 x) { return x * 2; }
__attribute__((noinline)) static u32 square(u32 x) { return x * x; }
__attribute__((noinline)) static u64 wide(u64 x) { return x + 1; }
typedef u32 (*fn32)(u32);
static volatile fn32 table[3] = {twice, square, (fn32)(void *)wide};

static double f64_of(u64 bits) { union { u64 u; double f; } x = {.u = bits}; return x.f; }
static u64 bits_of(double f) { union { u64 u; double f; } x = {.f = f}; return x.u; }

static u32 float_op(u32 op, u64 a, u64 b, u32 out) {
	double x = f64_of(a), y = f64_of(b), z = 0;
	switch (op) {
	case 0: z = x + y; break;
	case 1: z = x - y; break;
	case 2: z = x * y; break;
	case 3: z = x / y; break;
	case 4: z = __builtin_sqrt(x); break;
	case 5: z = (double)((float)x / (float)y); break;
	case 6: z = -x; break;
	case 7: z = __builtin_copysign(x, y); break;
	case 8: z = (double)(float)x; break;
	case 9: z = __builtin_floor(x); break;
	default: z = x;
	}
	AT64(out) = bits_of(z);
	return x < y;
}

// Each of these two conversions traps on NaN and on overflow. Inline: C calls that undefined.
static u32 to_i32(u64 bits) {
	u32 r;
	double f = f64_of(bits);
	__asm__("local.get %1\n\ti32.trunc_f64_s\n\tlocal.set %0" : "=r"(r) : "r"(f));
	return r;
}

static u32 div_s(i32 a, i32 b) {
	u32 r;
	__asm__("local.get %1\n\tlocal.get %2\n\ti32.div_s\n\tlocal.set %0" : "=r"(r) : "r"(a), "r"(b));
	return r;
}
static u32 rem_s(i32 a, i32 b) {
	u32 r;
	__asm__("local.get %1\n\tlocal.get %2\n\ti32.rem_s\n\tlocal.set %0" : "=r"(r) : "r"(a), "r"(b));
	return r;
}
static u64 div64_s(i64 a, i64 b) {
	u64 r;
	__asm__("local.get %1\n\tlocal.get %2\n\ti64.div_s\n\tlocal.set %0" : "=r"(r) : "r"(a), "r"(b));
	return r;
}

#if ERA == 4
#define LOG_CODEC 0x55
#elif ERA == 3
#define LOG_CODEC 0x55
#else
#define LOG_CODEC 0x71
#endif

static u32 log_block(u64 codec) {
	u32 id = 0;
	if (block_create((u32)&id, codec, LOG, log_len)) return 0;
	return *(volatile u32 *)&id;
}

#define UNKNOWN 0xfffffffeu

__attribute__((noinline)) static u32 run(u32 op, i64 *a) {
	switch (op) {
#if ERA == 2
	case 1: return vm_abort(a[0], a[1], a[2]);
	case 6: return network_base_fee(a[0]);
	case 15: return self_destruct(a[0], a[1]);
	case 20: return create_actor(a[0], a[1]);
	case 34: return verify_seal(a[0], a[1], a[2]);
	case 40: return send_send(a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
#else
	case 1: return vm_exit(a[0], a[1], a[2], a[3]);
	case 3: return network_context(a[0]);
	case 4: return network_tipset_cid(a[0], a[1], a[2], a[3]);
	case 17: return lookup_delegated_address(a[0], a[1], a[2], a[3]);
	case 20: return create_actor(a[0], a[1], a[2], a[3]);
	case 23: return balance_of(a[0], a[1]);
	case 39: return gas_available(a[0]);
	case 40: return send_send(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8]);
	case 88: vm_exit(a[0], log_block(LOG_CODEC), 0, 0); return 0;
#endif
#if ERA == 3
	case 15: return self_destruct(a[0], a[1]);
	case 35: return emit_event(a[0], a[1]);
#endif
#if ERA == 4
	case 15: return self_destruct(a[0]);
	case 25: return verify_bls_aggregate(a[0], a[1], a[2], a[3], a[4], a[5]);
	case 35: return emit_event(a[0], a[1], a[2], a[3], a[4], a[5]);
	case 36: return chain_randomness(a[0], a[1]);
	case 37: return beacon_randomness(a[0], a[1]);
#else
	case 36: return chain_randomness(a[0], a[1], a[2], a[3], a[4]);
	case 37: return beacon_randomness(a[0], a[1], a[2], a[3], a[4]);
#endif
	case 2: return vm_context(a[0]);
	case 5: return circ_supply(a[0]);
	case 7: return block_open(a[0], a[1]);
	case 8: return block_create(a[0], a[1], a[2], a[3]);
	case 9: return block_read(a[0], a[1], a[2], a[3], a[4]);
	case 10: return block_stat(a[0], a[1]);
	case 11: return block_link(a[0], a[1], a[2], a[3], a[4], a[5]);
	case 12: return self_root(a[0], a[1], a[2]);
	case 13: return self_set_root(a[0]);
	case 14: return current_balance(a[0]);
	case 16: return resolve_address(a[0], a[1], a[2]);
	case 18: return get_actor_code_cid(a[0], a[1], a[2], a[3]);
	case 19: return next_actor_address(a[0], a[1], a[2]);
	case 21: return get_builtin_actor_type(a[0], a[1]);
	case 22: return get_code_cid_for_type(a[0], a[1], a[2], a[3]);
	case 24: return verify_signature(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
	case 26: return recover_secp(a[0], a[1], a[2]);
	case 27: return crypto_hash(a[0], a[1], a[2], a[3], a[4], a[5]);
	case 28: return unsealed_sector_cid(a[0], a[1], a[2], a[3], a[4], a[5]);
	case 29: return verify_post(a[0], a[1], a[2]);
	case 30: return verify_consensus_fault(a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
	case 31: return verify_aggregate_seals(a[0], a[1], a[2]);
	case 32: return verify_replica_update(a[0], a[1], a[2]);
	case 33: return batch_verify_seals(a[0], a[1], a[2]);
	case 38: return gas_charge(a[0], a[1], a[2]);
	case 41: return debug_log(a[0], a[1]);
	case 42: return debug_enabled(a[0]);
	case 43: return debug_store_artifact(a[0], a[1], a[2], a[3]);

	case 64: AT32(a[0]) = a[1]; return 0;
	case 65: AT64(a[0]) = a[1]; return 0;
	case 66: return AT32(a[0]);
	case 67: log32(AT32(a[0])); return AT32(a[0] + 4);
	case 68: return fnv(a[0], a[1]);
	case 69: return burn(a[0]);
	case 70: { volatile u32 d = 0; recurse(&d, a[0]); return d; }
	case 71: return __builtin_wasm_memory_grow(0, a[0]);
	case 72:
#if ERA == 2
		for (u32 i = 0; i < (u32)a[2]; i++) AT8(a[0] + i) = AT8(a[1] + i);
#else
		__builtin_memcpy((void *)(u32)a[0], (void *)(u32)a[1], (u32)a[2]);
#endif
		return 0;
	case 73:
#if ERA == 2
		for (u32 i = 0; i < (u32)a[2]; i++) AT8(a[0] + i) = a[1];
#else
		__builtin_memset((void *)(u32)a[0], (i32)a[1], (u32)a[2]);
#endif
		return 0;
	case 74: return div_s(a[0], a[1]);
	case 75: return (u32)div64_s(a[0], a[1]);
	case 76: return rem_s(a[0], a[1]);
	case 77: return float_op(a[0], a[1], a[2], a[3]);
	case 78: return to_i32(a[0]);
	case 79: __builtin_trap();
	case 81: return a[0] < 3 ? table[a[0]](a[1]) : ((fn32)(u32)a[0])(a[1]);
	case 85: AT32(a[0]) += a[1]; return AT32(a[0]);
	case 86: return __builtin_wasm_memory_size(0);
	default: return UNKNOWN;
	}
}

static i64 operand(u32 flags, u32 k, i64 v) {
	if (flags & (1u << k)) return AT32(v);
	if (flags & (1u << (9 + k))) return AT64(v);
	return v;
}

// unpack turns records of {u8 op, u8 number of arguments, u24 flags, arguments as LEB128} into records of equal size.
static void unpack(u32 at, u32 count) {
	for (u32 i = 0; i < count; i++) {
		u32 to = RECORDS + i * RECORD, n = AT8(at + 1);
		AT32(to) = AT8(at);
		AT32(to + 4) = AT8(at + 2) | AT8(at + 3) << 8 | AT8(at + 4) << 16;
		at += 5;
		if (n > ARGS) n = ARGS;
		for (u32 k = 0; k < n; k++) {
			u64 v = 0;
			u32 shift = 0, b;
			do {
				b = AT8(at++);
				v |= (u64)(b & 0x7f) << shift;
				shift += 7;
			} while (b & 0x80);
			AT64(to + 8 + 8 * k) = v;
		}
	}
}

__attribute__((export_name("invoke"))) u32 invoke(u32 params_id) {
	if (params_id == 0) return 0;
	log_len = 0;
	if (block_stat(SELF, params_id)) return 0;
	u32 size = AT32(SELF + 8);
	if (size > PARAMS_MAX) size = PARAMS_MAX;
	if (block_read(SELF + 16, params_id, 0, PARAMS, size)) return 0;

	// A script inside CBOR: the first element of an array, a byte string with a two-byte length.
	u32 base = PARAMS;
	if ((AT8(base) & 0xe0) == 0x80 && AT8(base + 1) == 0x59) {
		size = AT8(base + 2) << 8 | AT8(base + 3);
		base += 4;
	}
	u32 count = AT32(base), data = AT32(base + 4), records = base + 12;
	if (count > COUNT_MAX) count = COUNT_MAX;
	unpack(records, count);
	u32 from = records + AT32(base + 8), len = base + size - from;
	if (len > PARAMS_MAX) len = 0;
	if (data == 0) data = DATA;
	for (u32 i = 0; i + 8 <= len + 7; i += 8) AT64(data + i) = AT64(from + i);

	u32 last = 0;
	i64 a[ARGS];
	for (u32 pc = 0; pc < count; pc++) {
		u32 at = RECORDS + pc * RECORD;
		u32 op = AT32(at), flags = AT32(at + 4);
		if ((flags & IF_OK) && last != 0) continue;
		if ((flags & IF_FAIL) && last == 0) continue;
		for (u32 k = 0; k < ARGS; k++) a[k] = operand(flags, k, AT64(at + 8 + 8 * k));
		if (op == 82) { // JUMP
			pc += (u32)a[0];
			continue;
		}
		if (op == 83) return a[0]; // RETURN_ID
		if (op == 84) {            // RETURN_DATA: codec, address, length
			volatile u32 id = 0;
			if (block_create((u32)&id, a[0], a[1], a[2])) return 0;
			return id;
		}
		if (op == 87) { // LOOP: counter address, jump
			if (--AT32(a[0])) pc += (u32)a[1];
			continue;
		}
		if (op == 89) return log_block(a[0]); // RETURN_LOG: codec
		last = run(op, a);
		if (!(flags & NO_LOG)) log32(last);
	}
	return log_block(LOG_CODEC);
}
