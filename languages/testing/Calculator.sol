// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

/// Shows numbers, strings and refusals; the measure of the other languages' calculators.
contract Calculator {
    function add(uint256 a, uint256 b) external pure returns (uint256) {
        return a + b;
    }

    function subtract(uint256 a, uint256 b) external pure returns (uint256) {
        return a - b;
    }

    /// Modulo 2^256.
    function multiply(uint256 a, uint256 b) external pure returns (uint256) {
        unchecked {
            return a * b;
        }
    }

    function divide(uint256 a, uint256 b) external pure returns (uint256) {
        return a / b;
    }

    function less(uint256 a, uint256 b) external pure returns (bool) {
        return a < b;
    }

    function invert(bool value) external pure returns (bool) {
        return !value;
    }

    function half(uint64 value) external pure returns (uint64) {
        require(value % 2 == 0, "an odd number has no half that is a whole number");
        return value / 2;
    }

    function echo(string calldata text) external pure returns (string memory) {
        return text;
    }
}
