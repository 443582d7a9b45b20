//! The execution trace as small JSON lists; the same form for all fvm versions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

pub fn gas(name: &str, compute: i64, other: i64) -> Value {
    json!(["gas", name, compute, other])
}

/// `codec` and `data` of a block, or two nulls.
pub fn block(block: Option<(Option<u64>, &[u8])>) -> (Value, Value) {
    match block {
        Some((codec, data)) => (json!(codec), json!(STANDARD.encode(data))),
        None => (Value::Null, Value::Null),
    }
}

pub struct Call<'a> {
    pub from: u64,
    pub to: String,
    pub method: u64,
    pub value: String,
    pub gas_limit: Option<u64>,
    pub read_only: Option<bool>,
    pub params: Option<(Option<u64>, &'a [u8])>,
}

pub fn call(call: Call) -> Value {
    let (codec, params) = block(call.params);
    json!([
        "call",
        call.from,
        call.to,
        call.method,
        call.value,
        call.gas_limit,
        call.read_only,
        codec,
        params
    ])
}

pub fn returned(exit_code: u32, data: Option<(Option<u64>, &[u8])>) -> Value {
    let (codec, data) = block(data);
    json!(["return", exit_code, codec, data])
}

pub fn error(errno: u32, text: &str) -> Value {
    json!(["error", errno, text])
}

/// An event that this program does not know.
pub fn unknown(event: impl std::fmt::Debug) -> Value {
    json!(["unknown", format!("{event:?}")])
}

/// Takes the texts out of errors: no two implementations have the same ones.
pub fn clip(trace: &mut [Value]) {
    for event in trace {
        if event[0] == "error" {
            event[2] = json!("");
        }
    }
}

/// An `ExecutionEvent` of fvm 3 or later; what only one of them has is given.
macro_rules! event {
    ($event:ident $(, $pattern:pat => $value:expr)*) => {
        match $event {
            ExecutionEvent::GasCharge(c) => $crate::trace::gas(
                &c.name,
                c.compute_gas.as_milligas() as i64,
                c.other_gas.as_milligas() as i64,
            ),
            ExecutionEvent::Call {
                from,
                to,
                method,
                params,
                value,
                gas_limit,
                read_only,
            } => $crate::trace::call($crate::trace::Call {
                from: *from,
                to: to.to_string(),
                method: *method,
                value: value.atto().to_string(),
                gas_limit: Some(*gas_limit),
                read_only: Some(*read_only),
                params: params.as_ref().map(|b| (Some(b.codec), &b.data[..])),
            }),
            ExecutionEvent::CallReturn(code, block) => $crate::trace::returned(
                code.value(),
                block.as_ref().map(|b| (Some(b.codec), &b.data[..])),
            ),
            ExecutionEvent::CallError(e) => $crate::trace::error(e.1 as u32, &e.0),
            ExecutionEvent::InvokeActor { id, state } => {
                serde_json::json!(["invoke", id, state.code.to_string()])
            }
            $($pattern => $value,)*
            other => $crate::trace::unknown(other),
        }
    };
}
pub(crate) use event;
