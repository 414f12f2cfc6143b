// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Validator, ValidatorSetLayout} from "./ValidatorSetLayout.sol";

/// Recent work decides who validates: miners submit tickets, hashes below a target, and those with the most of them in the last
/// epochs are the next set, each with the weight of its tickets. Work admits, agreement finalizes.
///
/// A ticket counts for one challenge only, which nobody knows before the block that fixes it; the one who makes that block can
/// choose among a few, which gains it the time of a block at most. It is made for one account and one set of keys, so nobody can
/// hand in another's. Who copies the keys of another, before that one has handed them in, gives its own weight away.
///
/// Genesis puts the code at its address and writes the slots itself (core/execution/validator-set-contracts.ts); there is no constructor.
contract WorkValidatorSet is ValidatorSetLayout {
    /// Packed into two slots: there may be many, and all are read at once.
    struct Miner {
        address account;
        uint64 lastNonce;
        uint32 lastPeriod;
        /// 16 bits for each period: `lastPeriod` lowest, then the ones before it.
        uint128 tickets;
    }

    /// A ticket's hash must be below it.
    uint256 public target; // slot 3
    /// Zero before the first epoch's set is read: no ticket counts until then.
    bytes32 public challenge; // slot 4
    /// The epoch whose set was read last. Tickets are counted by it, and elect the set that is read next.
    uint32 public period; // slot 5
    uint32 public ticketsInPeriod; // slot 5
    /// How many tickets a period should have; the target follows from it.
    uint32 public ticketsPerPeriod; // slot 5
    /// Tickets count for so many periods, 8 at most.
    uint16 public windowPeriods; // slot 5
    /// With fewer miners, the set stays as it is.
    uint16 public minValidators; // slot 5
    /// 64 at most: what one system call can write.
    uint16 public maxValidators; // slot 5
    Miner[] private miners; // slot 6
    /// Index in `miners`, plus one.
    mapping(address => uint256) private placeOf; // slot 7
    /// keccak256 of a consensus or transport key -> the miner that has it. Genesis writes the keys of its validators here, so that nobody
    /// else can take them over.
    mapping(bytes32 => address) private holderOf; // slot 8
    /// What a miner validates with; the weight is not kept here.
    mapping(address => Validator) private registered; // slot 9

    address private constant SYSTEM = 0xffffFFFfFFffffffffffffffFfFFFfffFFFfFFfE;
    uint256 private constant MAX_MINERS = 512;
    /// Clearing places costs gas, and one call must not run out of it.
    uint256 private constant MAX_FORGOTTEN_AT_ONCE = 32;
    uint256 private constant MAX_HOST_BYTES = 64;
    uint256 private constant COUNTED_PERIODS = 8;
    uint256 private constant COUNT_BITS = 16;
    uint256 private constant COUNT_MASK = 0xffff;
    uint256 private constant MAX_ADJUSTMENT = 4;
    uint256 private constant NAME_DIGITS = 16;

    event Worked(address indexed miner, uint32 indexed period, uint64 nonce);
    event KeysChanged(address indexed miner, bytes consensusKey, bytes transportKey);

    error NotOpenYet();
    error TargetMissed(bytes32 hash, uint256 target);
    /// Nonces of one period must ascend, so that no ticket counts twice.
    error NonceUsed(uint64 lastNonce);
    error TooManyTickets();
    error NoRoomForMiners();
    error NotTheSystem();

    /// Hands in a ticket: sha256(abi.encode(chain id, challenge, sender, keccak256(the three keys), nonce)) < target. The keys are
    /// those that the sender will validate with, and may differ from those of its tickets before.
    function submitWork(
        bytes calldata consensusKey,
        bytes calldata proofOfPossession,
        bytes calldata transportKey,
        string calldata host,
        uint16 port,
        uint64 nonce
    ) external {
        if (challenge == 0) revert NotOpenYet();
        checkKeys(consensusKey, proofOfPossession, transportKey);
        checkEndpoint(host, port, MAX_HOST_BYTES);
        bytes32 keys = keccak256(bytes.concat(consensusKey, proofOfPossession, transportKey));
        bytes32 hash = sha256(abi.encode(block.chainid, challenge, msg.sender, keys, nonce));
        if (uint256(hash) >= target) revert TargetMissed(hash, target);
        count(nonce);
        register(consensusKey, proofOfPossession, transportKey);
        Validator storage own = registered[msg.sender];
        own.host = host;
        own.port = port;
        emit Worked(msg.sender, period, nonce);
    }

    /// Called by every node when the set of an epoch is about to be read.
    function sealEpoch(uint64 nextEpoch) external {
        if (msg.sender != SYSTEM) revert NotTheSystem();
        if (challenge != 0) {
            elect();
            target = adjustedTarget();
        }
        challenge = keccak256(abi.encode(blockhash(block.number - 1), nextEpoch));
        period = uint32(nextEpoch);
        ticketsInPeriod = 0;
    }

    /// What a miner needs to know: `lastNonce` counts if it has a ticket in this period.
    function minerOf(address account) external view returns (uint256 tickets, uint64 lastNonce, bool hasWorked) {
        uint256 place = placeOf[account];
        if (place == 0) return (0, 0, false);
        Miner storage miner = miners[place - 1];
        return (recentTickets(miner.tickets, miner.lastPeriod), miner.lastNonce, miner.lastPeriod == period);
    }

    function minerCount() external view returns (uint256) {
        return miners.length;
    }

    function count(uint64 nonce) private {
        uint256 place = placeOf[msg.sender];
        if (place == 0) {
            if (miners.length == MAX_MINERS) revert NoRoomForMiners();
            miners.push(Miner(msg.sender, nonce, period, 1));
            placeOf[msg.sender] = miners.length;
        } else {
            Miner storage miner = miners[place - 1];
            uint256 tickets = miner.tickets;
            uint256 age = period - miner.lastPeriod;
            if (age == 0) {
                if (nonce <= miner.lastNonce) revert NonceUsed(miner.lastNonce);
                if (tickets & COUNT_MASK == COUNT_MASK) revert TooManyTickets();
            } else {
                tickets = age < COUNTED_PERIODS ? tickets << (COUNT_BITS * age) : 0;
            }
            miner.tickets = uint128(tickets) + 1;
            miner.lastNonce = nonce;
            miner.lastPeriod = period;
        }
        ticketsInPeriod++;
    }

    function register(bytes calldata consensusKey, bytes calldata proof, bytes calldata transportKey) private {
        Validator storage own = registered[msg.sender];
        bool isNewConsensusKey = take(consensusKey, own.consensusKey);
        bool isNewTransportKey = take(transportKey, own.transportKey);
        if (isNewConsensusKey) own.consensusKey = consensusKey;
        if (isNewTransportKey) own.transportKey = transportKey;
        // Another proof of the same key may be a right one after a wrong one.
        own.proofOfPossession = proof;
        if (own.account == address(0)) {
            own.account = msg.sender;
            own.name = nameOf(msg.sender);
        }
        if (isNewConsensusKey || isNewTransportKey) emit KeysChanged(msg.sender, consensusKey, transportKey);
    }

    /// @return isNew whether the sender had another key before.
    function take(bytes calldata key, bytes storage previous) private returns (bool isNew) {
        bytes32 hash = keccak256(key);
        address holder = holderOf[hash];
        if (holder != address(0) && holder != msg.sender) revert KeyTaken(key);
        if (previous.length != 0) {
            bytes32 before = keccak256(previous);
            if (before == hash) return false;
            delete holderOf[before];
        }
        holderOf[hash] = msg.sender;
        return true;
    }

    /// Writes the miners with the most recent tickets as the set; of equals, those with the lower addresses.
    function elect() private {
        uint256[] memory ranks = new uint256[](maxValidators);
        uint256 found = 0;
        uint256 forgotten = 0;
        for (uint256 i = miners.length; i > 0; i--) {
            Miner memory miner = miners[i - 1];
            uint256 tickets = recentTickets(miner.tickets, miner.lastPeriod);
            if (tickets != 0) {
                found = rank(ranks, found, (tickets << 160) | type(uint160).max - uint160(miner.account));
            } else if (forgotten < MAX_FORGOTTEN_AT_ONCE) {
                forgotten++;
                forget(i, miner.account);
            }
        }
        if (found < minValidators) return;
        while (validators.length > found) validators.pop();
        for (uint256 i = 0; i < found; i++) {
            address account = address(type(uint160).max - uint160(ranks[i]));
            if (i == validators.length) validators.push();
            validators[i] = registered[account];
            validators[i].weight = uint64(ranks[i] >> 160);
        }
    }

    /// Puts a rank into its place among the highest so far. @return how many there are.
    function rank(uint256[] memory ranks, uint256 found, uint256 added) private pure returns (uint256) {
        uint256 place = 0;
        for (uint256 end = found; place < end;) {
            uint256 middle = (place + end) / 2;
            if (ranks[middle] > added) place = middle + 1;
            else end = middle;
        }
        if (place == ranks.length) return found;
        if (found < ranks.length) found++;
        assembly ("memory-safe") {
            // All from this place on, except the one that drops out at the end, move one further.
            let from := add(add(ranks, 32), mul(place, 32))
            mcopy(add(from, 32), from, mul(sub(sub(found, place), 1), 32))
        }
        ranks[place] = added;
        return found;
    }

    /// The last miner of the list takes the place of the one that goes, whose keys stay its own.
    function forget(uint256 place, address account) private {
        uint256 last = miners.length;
        delete placeOf[account];
        if (place != last) {
            Miner memory moved = miners[last - 1];
            miners[place - 1] = moved;
            placeOf[moved.account] = place;
        }
        miners.pop();
    }

    /// Tickets of the last `windowPeriods` periods, the current one included.
    function recentTickets(uint256 tickets, uint256 lastPeriod) private view returns (uint256 sum) {
        uint256 age = period - lastPeriod;
        for (; age < windowPeriods; age++) {
            sum += tickets & COUNT_MASK;
            tickets >>= COUNT_BITS;
        }
    }

    /// In proportion to how many tickets there were, but by a factor of 4 at most.
    function adjustedTarget() private view returns (uint256) {
        uint256 wanted = ticketsPerPeriod;
        uint256 actual = ticketsInPeriod;
        if (actual * MAX_ADJUSTMENT < wanted) (wanted, actual) = (MAX_ADJUSTMENT, 1);
        if (actual > wanted * MAX_ADJUSTMENT) (wanted, actual) = (1, MAX_ADJUSTMENT);
        uint256 share = target / actual;
        if (share > type(uint256).max / wanted) return type(uint256).max;
        return share == 0 ? 1 : share * wanted;
    }

    /// `miner-` and the first digits of the address.
    function nameOf(address account) private pure returns (string memory) {
        bytes16 digits = "0123456789abcdef";
        bytes memory name = new bytes(NAME_DIGITS);
        for (uint256 i = 0; i < NAME_DIGITS; i++) {
            name[i] = digits[(uint160(account) >> (156 - 4 * i)) & 0xf];
        }
        return string.concat("miner-", string(name));
    }
}
