// JSON-RPC to the server that the page came from.

let next = 1;

export async function rpc(method, ...params) {
  const res = await fetch("/", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({jsonrpc: "2.0", id: next++, method, params})});
  const body = await res.json();
  if (body.error) throw Object.assign(new Error(body.error.message), {code: body.error.code, data: body.error.data});
  return body.result;
}

// watch hears of new blocks until the page is closed: onBlock(head), onState(connected).
export function watch(onBlock, onState) {
  let wait = 500;
  const open = () => {
    const ws = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/`);
    ws.onopen = () => { wait = 500; ws.send(JSON.stringify({jsonrpc: "2.0", id: 1, method: "eth_subscribe", params: ["newHeads"]})); };
    ws.onmessage = (e) => {
      const m = JSON.parse(e.data);
      if (m.id === 1) onState(!m.error);
      else if (m.method === "eth_subscription") onBlock(m.params.result);
    };
    ws.onclose = () => { onState(false); setTimeout(open, wait); wait = Math.min(wait * 2, 15000); };
  };
  open();
}
