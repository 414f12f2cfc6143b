// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// The Chinese national hash function (GB/T 32905-2016), by the precompile at 0x687368 ("hsh") followed by the hash's id.
library Sm3 {
    address private constant SM3 = address(0x68736803);

    error NoSm3();

    /// Reverts on a chain that has no such precompile.
    function hash(bytes memory data) internal view returns (bytes32) {
        (bool success, bytes memory digest) = SM3.staticcall(data);
        if (!success || digest.length != 32) revert NoSm3();
        return abi.decode(digest, (bytes32));
    }
}
