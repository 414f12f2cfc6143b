// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SignatureSchemes} from "./SignatureSchemes.sol";

/// Verifies signatures of every scheme by the chain's precompiles, at 0x766572 ("ver") followed by the scheme's id. A chain without key sets
/// has none: there, and for unknown schemes, every answer is false.
library Signatures {
    uint160 private constant VERIFY = 0x76657200;
    uint256 private constant MAX_CONTEXT_BYTES = 65535;
    uint256 private constant MAX_MESSAGE_BYTES = type(uint32).max;

    /// @param publicKey false if it has another length than the scheme's keys.
    /// @param context of ML-DSA and SLH-DSA, at most 255 bytes; empty for other schemes.
    function verify(
        uint8 scheme,
        bytes memory publicKey,
        bytes memory message,
        bytes memory signature,
        bytes memory context
    ) internal view returns (bool) {
        if (publicKey.length != SignatureSchemes.publicKeyLength(scheme)) return false;
        if (context.length > MAX_CONTEXT_BYTES || message.length > MAX_MESSAGE_BYTES) return false;
        (bool success, bytes memory answer) = address(VERIFY + scheme).staticcall(
            abi.encodePacked(uint16(context.length), context, uint32(message.length), message, publicKey, signature)
        );
        return success && answer.length == 32 && abi.decode(answer, (uint256)) == 1;
    }

    /// Verifies a signature on the 32 bytes of a hash, without a context.
    function verifyHash(uint8 scheme, bytes memory publicKey, bytes32 hash, bytes memory signature)
        internal
        view
        returns (bool)
    {
        return verify(scheme, publicKey, abi.encodePacked(hash), signature, "");
    }
}
