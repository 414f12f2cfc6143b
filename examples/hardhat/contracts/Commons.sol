// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// A shared pasture in the manner of Elinor Ostrom's rules: members put coins in, and nobody takes more in a season than
/// the members' limit.
contract Commons {
    error NotMember(address account);
    error BeyondLimit(uint256 asked, uint256 left);

    event Joined(address indexed member, uint256 amount);
    event Taken(address indexed member, uint256 amount);

    uint256 public immutable limitPerSeason;
    uint256 public season;
    mapping(address => uint256) public contributionOf;
    mapping(uint256 => mapping(address => uint256)) public takenIn;

    constructor(uint256 limit) {
        limitPerSeason = limit;
    }

    function join() external payable {
        require(msg.value > 0, "a member contributes");
        contributionOf[msg.sender] += msg.value;
        emit Joined(msg.sender, msg.value);
    }

    function take(uint256 amount) external {
        if (contributionOf[msg.sender] == 0) revert NotMember(msg.sender);
        uint256 left = limitPerSeason - takenIn[season][msg.sender];
        if (amount > left) revert BeyondLimit(amount, left);
        takenIn[season][msg.sender] += amount;
        emit Taken(msg.sender, amount);
        (bool sent, ) = msg.sender.call{value: amount}("");
        require(sent, "the transfer failed");
    }

    function beginSeason() external {
        if (contributionOf[msg.sender] == 0) revert NotMember(msg.sender);
        season += 1;
    }
}
