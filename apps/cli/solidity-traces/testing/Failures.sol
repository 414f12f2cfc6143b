// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// Ways to fail, one a function: what a stack says of each is compared with Hardhat's.

error FreeError(uint256 number);

struct Pair {
    uint256 left;
    string right;
}

function freeRequire(uint256 number) pure {
    require(number > 10, "too small for free function");
}

library Arithmetic {
    error Odd(uint256 number);

    function half(uint256 number) internal pure returns (uint256) {
        if (number % 2 == 1) revert Odd(number);
        return number / 2;
    }

    function publicHalf(uint256 number) public pure returns (uint256) {
        require(number % 2 == 0, "odd in public library");
        return number / 2;
    }
}

interface Unanswered {
    function nothing() external returns (uint256);

    function fail(uint256 number) external;
}

contract Silent {
    fallback() external {}
}

contract Callee {
    error Refused(address who, uint256[] amounts, bytes4 tag, Pair pair, bool flag, bytes blob, int8 small);

    uint256 public stored = 5;

    function fail(uint256 number) external pure {
        require(number == 0, "callee failed");
    }

    function refuse() external view {
        uint256[] memory amounts = new uint256[](2);
        amounts[0] = 1;
        amounts[1] = 2;
        revert Refused(msg.sender, amounts, 0x12345678, Pair(7, "seven"), true, hex"c0ffee", -3);
    }

    function burn() external pure returns (uint256 sum) {
        for (uint256 at = 0; ; at++) sum ^= at;
    }

    function silent() external pure {
        revert();
    }

    function paid() external payable {}
}

contract BadConstructor {
    uint256 private immutable seed;

    constructor(uint256 number) {
        seed = number;
        check(number);
    }

    function check(uint256 number) internal pure {
        require(number != 13, "thirteen");
    }
}

abstract contract Guarded {
    address private owner = address(1);

    modifier onlyOwner() {
        require(msg.sender == owner, "not the owner");
        _;
    }

    modifier bounded(uint256 number) {
        if (number > 100) revert FreeError(number);
        _;
    }

    function inherited(uint256 number) public pure returns (uint256) {
        return deeper(number);
    }

    function deeper(uint256 number) internal pure virtual returns (uint256) {
        require(number != 1, "base refuses one");
        return number;
    }
}

contract Failures is Guarded {
    error Simple();
    error WithArguments(address who, uint256 amount, string text);

    enum Kind {
        First,
        Second
    }

    uint256[] private list;
    mapping(address => uint256) private balances;
    uint256 public immutable made;
    function() internal pure pointer;

    constructor(uint256 number) payable {
        require(number != 99, "constructor refuses 99");
        made = number;
    }

    function requireReason(uint256 number) external pure {
        require(number > 5, "number too small");
    }

    function requireNothing(uint256 number) external pure {
        require(number > 5);
    }

    function revertReason() external pure {
        revert("plain revert");
    }

    function revertNothing() external pure {
        revert();
    }

    function customSimple() external pure {
        revert Simple();
    }

    function customArguments() external view {
        revert WithArguments(msg.sender, 42, "what a pity");
    }

    function customRequire(uint256 number) external view {
        require(number > 5, WithArguments(address(this), number, "required"));
    }

    function assertion(uint256 number) external pure {
        assert(number == 1);
    }

    function overflow(uint256 number) external pure returns (uint256) {
        return number + type(uint256).max;
    }

    function division(uint256 number) external pure returns (uint256) {
        return 1 / number;
    }

    function outOfBounds(uint256 index) external view returns (uint256) {
        return list[index];
    }

    function popEmpty() external {
        list.pop();
    }

    function badEnum(uint256 number) external pure returns (Kind) {
        return Kind(number);
    }

    function tooMuchMemory(uint256 size) external pure returns (uint256[] memory) {
        return new uint256[](size);
    }

    function zeroPointer() external view {
        pointer();
    }

    function onlyTheOwner() external onlyOwner {
        list.push(1);
    }

    function twoModifiers(uint256 number) external bounded(number) onlyOwner {
        list.push(number);
    }

    function internalChain(uint256 number) external pure returns (uint256) {
        uint256 doubled = second(number) * 2;
        return doubled;
    }

    function second(uint256 number) internal pure returns (uint256) {
        return third(number) + 1;
    }

    function third(uint256 number) private pure returns (uint256) {
        require(number != 7, "seven in the third");
        return number;
    }

    function recursion(uint256 number) public pure returns (uint256) {
        require(number != 0, "bottom");
        return recursion(number - 1) + 1;
    }

    function libraryInternal(uint256 number) external pure returns (uint256) {
        return Arithmetic.half(number);
    }

    function freeFunction(uint256 number) external pure {
        freeRequire(number);
    }

    function callFails(Callee callee) external {
        callee.fail(3);
    }

    function callRefused(Callee callee) external view {
        callee.refuse();
    }

    function callSilent(Callee callee) external pure {
        callee.silent();
    }

    function callBurn(Callee callee) external view returns (uint256) {
        return callee.burn{gas: 50_000}();
    }

    function callNobody() external {
        Callee(address(0x1234567890)).fail(0);
    }

    function callWrong(address callee) external returns (uint256) {
        return Unanswered(callee).nothing();
    }

    function callUnknownFunction(address callee) external {
        Unanswered(callee).nothing();
    }

    function sendTooMuch(Callee callee) external {
        callee.paid{value: 1 ether}();
    }

    function callLowLevel(address callee) external {
        (bool done, ) = callee.call(abi.encodeCall(Unanswered.fail, (3)));
        require(done, "low-level call failed");
    }

    function bubble(address callee) external {
        (bool done, bytes memory data) = callee.call(abi.encodeCall(Unanswered.fail, (3)));
        if (!done) {
            assembly {
                revert(add(data, 32), mload(data))
            }
        }
    }

    function caught(Callee callee) external {
        try callee.fail(3) {} catch Error(string memory reason) {
            revert(string.concat("caught: ", reason));
        }
    }

    function createBad(uint256 number) external {
        new BadConstructor(number);
    }

    function invalidOpcode() external pure {
        assembly {
            invalid()
        }
    }

    function assemblyRevert() external pure {
        assembly {
            mstore(0, 0xdeadbeef00000000000000000000000000000000000000000000000000000000)
            revert(0, 4)
        }
    }

    function burnAll() external pure returns (uint256 sum) {
        for (uint256 at = 0; ; at++) sum ^= at;
    }

    function takesAddress(address who) external view returns (uint256) {
        return balances[who];
    }

    function deeper(uint256 number) internal pure override returns (uint256) {
        return super.deeper(number);
    }

    function precompileFails() external view {
        (bool done, bytes memory data) = address(8).staticcall(hex"01");
        require(done, string(data));
    }

    function decodeBad(bytes calldata data) external pure returns (string memory text) {
        text = abi.decode(data, (string));
    }
}

contract PublicLibraryUser {
    function half(uint256 number) external pure returns (uint256) {
        return Arithmetic.publicHalf(number);
    }
}

contract WithFallback {
    bool private isOpen;

    fallback() external {
        require(isOpen, "fallback is closed");
    }
}

contract WithReceive {
    receive() external payable {
        require(msg.value > 1 ether, "send more");
    }
}

contract Proxy {
    address private implementation;

    constructor(address target) {
        implementation = target;
    }

    fallback() external payable {
        address target = implementation;
        assembly {
            calldatacopy(0, 0, calldatasize())
            let result := delegatecall(gas(), target, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch result
            case 0 {
                revert(0, returndatasize())
            }
            default {
                return(0, returndatasize())
            }
        }
    }
}

contract NoConstructorPay {
    uint256 private number = 3;
}

contract ArgumentConstructor {
    string private text;

    constructor(string memory initial, uint256 number) {
        require(number > 0, "constructor wants a number");
        text = initial;
    }
}

contract TooLarge {
    constructor() {
        assembly {
            return(0, 30000)
        }
    }
}
