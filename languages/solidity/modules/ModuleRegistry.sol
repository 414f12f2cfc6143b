// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Which modules a chain uses, in which version, from which height: nodes read it from storage (core/execution/module-registry.ts), by the
/// layout below, before each block. A version becomes active by its height alone; nobody calls this contract for it.
///
/// The authority schedules and cancels. It may be an account, or a contract such as the membership module's, which does it by vote. Nobody
/// can change what is active already, but by a later version.
contract ModuleRegistry {
    struct Version {
        uint32 version;
        uint64 height;
        bytes32 codeHash;
        bytes settings;
    }

    struct Module {
        bytes32 name;
        /// Active until `scheduled` is.
        Version current;
        /// version 0: none. In place of `current` from its height on, also before it is moved there.
        Version scheduled;
    }

    struct Fork {
        bytes32 name;
        uint64 height;
    }

    address public authority;
    Module[] private modules;
    Fork[] private forks;
    /// Which module decides who validates. 0: the contract of the validator set, or genesis. Nodes change these three when the next holder
    /// has given a valid set.
    bytes32 public holder;
    bytes32 public nextHolder;
    uint64 public fromEpoch;

    /// Operators see for so long what is to come.
    uint64 public constant MIN_NOTICE = 10;
    uint256 public constant MAX_MODULES = 32;
    uint256 public constant MAX_FORKS = 16;
    uint256 public constant MAX_SETTINGS_BYTES = 65536;
    /// Nodes count heights in 53 bits.
    uint64 private constant MAX_HEIGHT = 2 ** 53 - 1;

    event ModuleScheduled(bytes32 indexed name, uint32 version, bytes32 codeHash, uint64 height, bytes settings);
    event ModuleCancelled(bytes32 indexed name, uint32 version, uint64 height);
    event ForkScheduled(bytes32 indexed name, uint64 height);
    event ForkCancelled(bytes32 indexed name, uint64 height);
    event HandOverScheduled(bytes32 indexed name, uint64 fromEpoch);
    event HandOverCancelled(bytes32 indexed name);
    event AuthorityTransferred(address indexed from, address indexed to);

    error NotAuthority(address caller);
    error ZeroAddress();
    error WrongName(bytes32 name);
    error TooSoon(uint64 height, uint64 earliest);
    error TooFar(uint64 number);
    error NotALaterVersion(uint32 current);
    error AlreadyScheduled(uint64 height);
    error NothingScheduled();
    error SettingsTooLong();
    error NoRoom();
    error UnknownModule(bytes32 name);

    modifier onlyAuthority() {
        if (msg.sender != authority) revert NotAuthority(msg.sender);
        _;
    }

    /// Has a version replace the module's current one, or begin, at a height.
    function schedule(bytes32 name, uint32 version, bytes32 codeHash, uint64 height, bytes calldata settings)
        external
        onlyAuthority
    {
        requireName(name);
        requireNotice(height);
        if (settings.length > MAX_SETTINGS_BYTES) revert SettingsTooLong();
        Module storage module = findOrAdd(name);
        settle(module);
        if (module.scheduled.version != 0) revert AlreadyScheduled(module.scheduled.height);
        if (version <= module.current.version) revert NotALaterVersion(module.current.version);
        module.scheduled = Version(version, height, codeHash, settings);
        emit ModuleScheduled(name, version, codeHash, height, settings);
    }

    /// Takes back what is to become active at this height.
    function cancel(bytes32 name, uint64 height) external onlyAuthority {
        (bool found, uint256 index) = find(name);
        if (!found) revert UnknownModule(name);
        Version storage scheduled = modules[index].scheduled;
        if (scheduled.version == 0 || scheduled.height != height || height <= block.number) revert NothingScheduled();
        emit ModuleCancelled(name, scheduled.version, height);
        delete modules[index].scheduled;
    }

    /// Has a rule set of Ethereum, by its lower-case name, hold from a height on. One that genesis has already changes nothing. A fork that
    /// is scheduled but not active moves.
    function scheduleFork(bytes32 fork, uint64 height) external onlyAuthority {
        requireName(fork);
        requireNotice(height);
        for (uint256 i = 0; i < forks.length; i++) {
            if (forks[i].name != fork) continue;
            if (forks[i].height <= block.number) revert AlreadyScheduled(forks[i].height);
            forks[i].height = height;
            emit ForkScheduled(fork, height);
            return;
        }
        if (forks.length == MAX_FORKS) revert NoRoom();
        forks.push(Fork(fork, height));
        emit ForkScheduled(fork, height);
    }

    function cancelFork(bytes32 fork) external onlyAuthority {
        for (uint256 i = 0; i < forks.length; i++) {
            uint64 height = forks[i].height;
            if (forks[i].name != fork || height <= block.number) continue;
            forks[i] = forks[forks.length - 1];
            forks.pop();
            emit ForkCancelled(fork, height);
            return;
        }
        revert NothingScheduled();
    }

    /// Has a module decide who validates, from an epoch on: the set of that epoch, or of the first one after it for which the module has a
    /// valid one, is the module's. Until then the holder goes on.
    function handOver(bytes32 moduleName, uint64 epoch) external onlyAuthority {
        (bool found, uint256 index) = find(moduleName);
        if (!found) revert UnknownModule(moduleName);
        if (modules[index].current.version == 0 && modules[index].scheduled.version == 0) {
            revert UnknownModule(moduleName);
        }
        if (epoch > MAX_HEIGHT) revert TooFar(epoch);
        nextHolder = moduleName;
        fromEpoch = epoch;
        emit HandOverScheduled(moduleName, epoch);
    }

    function cancelHandOver() external onlyAuthority {
        if (nextHolder == 0) revert NothingScheduled();
        emit HandOverCancelled(nextHolder);
        nextHolder = 0;
        fromEpoch = 0;
    }

    function transferAuthority(address to) external onlyAuthority {
        if (to == address(0)) revert ZeroAddress();
        emit AuthorityTransferred(authority, to);
        authority = to;
    }

    function moduleCount() external view returns (uint256) {
        return modules.length;
    }

    function moduleAt(uint256 index) external view returns (Module memory) {
        return modules[index];
    }

    /// What is active in this block; version 0 if nothing is.
    function activeVersion(bytes32 name) external view returns (Version memory) {
        (bool found, uint256 index) = find(name);
        if (!found) revert UnknownModule(name);
        Module storage module = modules[index];
        return isPast(module.scheduled) ? module.scheduled : module.current;
    }

    function forkCount() external view returns (uint256) {
        return forks.length;
    }

    function forkAt(uint256 index) external view returns (Fork memory) {
        return forks[index];
    }

    function requireNotice(uint64 height) private view {
        uint64 earliest = uint64(block.number) + MIN_NOTICE;
        if (height < earliest) revert TooSoon(height, earliest);
        if (height > MAX_HEIGHT) revert TooFar(height);
    }

    /// 1 to 31 of `a-z`, `0-9` and `-`, a letter first, and nothing after them.
    function requireName(bytes32 name) private pure {
        bool isOver = false;
        for (uint256 i = 0; i < 32; i++) {
            bytes1 letter = name[i];
            if (letter == 0 && i > 0) {
                isOver = true;
                continue;
            }
            bool isLetter = letter >= "a" && letter <= "z";
            bool isOther = i > 0 && (letter == "-" || (letter >= "0" && letter <= "9"));
            if (isOver || i == 31 || !(isLetter || isOther)) revert WrongName(name);
        }
    }

    function find(bytes32 name) private view returns (bool, uint256) {
        for (uint256 i = 0; i < modules.length; i++) {
            if (modules[i].name == name) return (true, i);
        }
        return (false, 0);
    }

    function findOrAdd(bytes32 name) private returns (Module storage) {
        (bool found, uint256 index) = find(name);
        if (found) return modules[index];
        if (modules.length == MAX_MODULES) revert NoRoom();
        Module storage added = modules.push();
        added.name = name;
        return added;
    }

    function isPast(Version storage version) private view returns (bool) {
        return version.version != 0 && version.height <= block.number;
    }

    /// Moves what has become active to its place.
    function settle(Module storage module) private {
        if (!isPast(module.scheduled)) return;
        module.current = module.scheduled;
        delete module.scheduled;
    }
}
