// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity ^0.8.20;

/// What stands at 0xcA11bde05977b3631167028862bE2a173976CA11 on a development network: the interface of Multicall3, which clients batch
/// their calls through. The code is EdgeFVM's own; revert texts and results are those that clients know.
contract Multicall3 {
    struct Call { address target; bytes callData; }
    struct Call3 { address target; bool allowFailure; bytes callData; }
    struct Call3Value { address target; bool allowFailure; uint256 value; bytes callData; }
    struct Result { bool success; bytes returnData; }

    function aggregate(Call[] calldata calls) external payable returns (uint256 blockNumber, bytes[] memory returnData) {
        blockNumber = block.number;
        returnData = new bytes[](calls.length);
        for (uint256 i = 0; i < calls.length; i++) {
            bool ok;
            (ok, returnData[i]) = calls[i].target.call(calls[i].callData);
            require(ok, "Multicall3: call failed");
        }
    }

    function tryAggregate(bool requireSuccess, Call[] calldata calls) external payable returns (Result[] memory) {
        return attempt(requireSuccess, calls);
    }

    function tryBlockAndAggregate(bool requireSuccess, Call[] calldata calls)
        external payable returns (uint256 blockNumber, bytes32 blockHash, Result[] memory returnData)
    {
        return (block.number, blockhash(block.number), attempt(requireSuccess, calls));
    }

    function blockAndAggregate(Call[] calldata calls)
        external payable returns (uint256 blockNumber, bytes32 blockHash, Result[] memory returnData)
    {
        return (block.number, blockhash(block.number), attempt(true, calls));
    }

    function aggregate3(Call3[] calldata calls) external payable returns (Result[] memory results) {
        results = new Result[](calls.length);
        for (uint256 i = 0; i < calls.length; i++) {
            (results[i].success, results[i].returnData) = calls[i].target.call(calls[i].callData);
            require(results[i].success || calls[i].allowFailure, "Multicall3: call failed");
        }
    }

    function aggregate3Value(Call3Value[] calldata calls) external payable returns (Result[] memory results) {
        results = new Result[](calls.length);
        uint256 sent;
        for (uint256 i = 0; i < calls.length; i++) {
            unchecked { sent += calls[i].value; } // what overflows is more than any balance
            (results[i].success, results[i].returnData) = calls[i].target.call{value: calls[i].value}(calls[i].callData);
            require(results[i].success || calls[i].allowFailure, "Multicall3: call failed");
        }
        require(msg.value == sent, "Multicall3: value mismatch");
    }

    function attempt(bool requireSuccess, Call[] calldata calls) private returns (Result[] memory results) {
        results = new Result[](calls.length);
        for (uint256 i = 0; i < calls.length; i++) {
            (results[i].success, results[i].returnData) = calls[i].target.call(calls[i].callData);
            require(results[i].success || !requireSuccess, "Multicall3: call failed");
        }
    }

    function getBlockNumber() external view returns (uint256 blockNumber) { return block.number; }
    function getBlockHash(uint256 blockNumber) external view returns (bytes32 blockHash) { return blockhash(blockNumber); }
    function getLastBlockHash() external view returns (bytes32 blockHash) { return blockhash(block.number - 1); }
    function getCurrentBlockTimestamp() external view returns (uint256 timestamp) { return block.timestamp; }
    function getCurrentBlockGasLimit() external view returns (uint256 gaslimit) { return block.gaslimit; }
    function getCurrentBlockDifficulty() external view returns (uint256 difficulty) { return block.prevrandao; }
    function getCurrentBlockCoinbase() external view returns (address coinbase) { return block.coinbase; }
    function getEthBalance(address addr) external view returns (uint256 balance) { return addr.balance; }
    function getBasefee() external view returns (uint256 basefee) { return block.basefee; }
    function getChainId() external view returns (uint256 chainid) { return block.chainid; }
}
