const { buildModule } = require("@nomicfoundation/hardhat-ignition/modules");

module.exports = buildModule("Jar", (m) => {
  const jar = m.contract("Jar", [m.getParameter("opens", 4_000_000_000n)], { value: 1_000n });
  m.call(jar, "give", [], { value: 500n });
  return { jar };
});
