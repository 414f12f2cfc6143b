// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

interface IKeySets {
    function isAuthorized(address owner, bytes32 hash, bytes calldata signature) external view returns (bool);
}

/// What an account delegates to whose keys are in KeySets: it takes whatever an account without code would, and tells who asks whether its keys
/// have signed. It spends nothing: that takes a transaction of type 0x60.
contract KeyedAccount {
    IKeySets private constant KEY_SETS = IKeySets(address(0x6b657973657473));
    bytes4 private constant VALID = 0x1626ba7e;
    bytes4 private constant INVALID = 0xffffffff;

    receive() external payable {}

    /// As an account without code, it takes any call.
    fallback() external payable {}

    /// ERC-1271. @param signature as KeySets.isAuthorized takes it.
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        return KEY_SETS.isAuthorized(address(this), hash, signature) ? VALID : INVALID;
    }

    function onERC721Received(address, address, uint256, bytes calldata) external pure returns (bytes4) {
        return this.onERC721Received.selector;
    }

    function onERC1155Received(address, address, uint256, uint256, bytes calldata) external pure returns (bytes4) {
        return this.onERC1155Received.selector;
    }

    function onERC1155BatchReceived(address, address, uint256[] calldata, uint256[] calldata, bytes calldata)
        external
        pure
        returns (bytes4)
    {
        return this.onERC1155BatchReceived.selector;
    }

    /// ERC-165: itself, ERC-1271, the receivers of ERC-721 and ERC-1155.
    function supportsInterface(bytes4 id) external pure returns (bool) {
        return id == 0x01ffc9a7 || id == VALID || id == 0x150b7a02 || id == 0x4e2312e0;
    }
}
