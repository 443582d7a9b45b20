from web3 import Web3

from dev import deploy_jar, receipt, w3

jar = deploy_jar(w3.eth.get_block("latest").timestamp + 3600)
print("jar", jar.address)
done = receipt(jar.functions.give().transact({"from": w3.eth.accounts[0], "value": Web3.to_wei("2.5", "ether")}))
print("block", done.blockNumber, "gas", done.gasUsed)
print("in the jar", Web3.from_wei(w3.eth.get_balance(jar.address), "ether"), "FIL")
