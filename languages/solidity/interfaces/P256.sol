// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// ECDSA over P-256 on a hash of the caller's choice, by the precompile of EIP-7951 (from Osaka on; false before). High s is fine here:
/// `Signatures`, which hashes the message itself, wants a low one.
library P256 {
    address private constant P256_VERIFY = address(0x100);

    function verify(bytes32 hash, bytes32 r, bytes32 s, bytes32 x, bytes32 y) internal view returns (bool) {
        (bool success, bytes memory answer) = P256_VERIFY.staticcall(abi.encodePacked(hash, r, s, x, y));
        return success && answer.length == 32 && abi.decode(answer, (uint256)) == 1;
    }
}
