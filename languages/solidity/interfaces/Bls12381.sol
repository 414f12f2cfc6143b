// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// BLS12-381 by the precompiles of EIP-2537. Field elements are 64 bytes, points of G1 128 and of G2 256 bytes, scalars 32; infinity is all
/// zeros. Additions do not check subgroups, all others do. What is not on its curve reverts.
library Bls12381 {
    address private constant G1_ADD = address(0x0b);
    address private constant G1_MULTIPLY = address(0x0c);
    address private constant G2_ADD = address(0x0d);
    address private constant G2_MULTIPLY = address(0x0e);
    address private constant PAIRING = address(0x0f);
    address private constant MAP_TO_G1 = address(0x10);
    address private constant MAP_TO_G2 = address(0x11);

    error InvalidInput(address precompile);

    function addG1(bytes memory a, bytes memory b) internal view returns (bytes memory) {
        return call(G1_ADD, bytes.concat(a, b), 128);
    }

    function addG2(bytes memory a, bytes memory b) internal view returns (bytes memory) {
        return call(G2_ADD, bytes.concat(a, b), 256);
    }

    /// The sum of points multiplied by scalars. @param terms point || scalar, one after another.
    function multiplyG1(bytes memory terms) internal view returns (bytes memory) {
        return call(G1_MULTIPLY, terms, 128);
    }

    /// The sum of points multiplied by scalars. @param terms point || scalar, one after another.
    function multiplyG2(bytes memory terms) internal view returns (bytes memory) {
        return call(G2_MULTIPLY, terms, 256);
    }

    /// Whether the product of the pairings is one. @param pairs point of G1 || point of G2, one after another.
    function pairing(bytes memory pairs) internal view returns (bool) {
        return abi.decode(call(PAIRING, pairs, 32), (uint256)) == 1;
    }

    function mapToG1(bytes memory fieldElement) internal view returns (bytes memory) {
        return call(MAP_TO_G1, fieldElement, 128);
    }

    /// @param fieldElement two elements of the base field.
    function mapToG2(bytes memory fieldElement) internal view returns (bytes memory) {
        return call(MAP_TO_G2, fieldElement, 256);
    }

    function call(address precompile, bytes memory input, uint256 outputLength) private view returns (bytes memory) {
        (bool success, bytes memory output) = precompile.staticcall(input);
        if (!success || output.length != outputLength) revert InvalidInput(precompile);
        return output;
    }
}
