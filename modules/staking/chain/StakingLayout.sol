// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// What the chain's rules are; given by `activate`. Epochs are counted as the chain counts them.
struct Settings {
    /// How many seats a committee has on average: the more, the closer weights are to stakes.
    uint32 expectedSeats; // slot 0
    /// With fewer, the set goes on as it is.
    uint16 minValidators;
    uint16 maxValidators;
    /// A committee is drawn only if more than this part of the stake has revealed.
    uint8 minRevealedPercent;
    /// What a contradiction costs all that is bonded or unbonding with the validator.
    uint8 slashPercent;
    /// Stake is locked, and can be slashed, for so long after the last epoch in which it may have voted.
    uint16 unbondingEpochs;
    uint16 jailEpochs;
    /// Older contradictions do not count any more.
    uint16 evidenceEpochs;
    /// An epoch that is shorter earns less in proportion; 0: every epoch earns all.
    uint32 fullRewardSeconds;
    bool active;
    /// Own stake of a validator.
    uint96 minStake; // slot 1
    uint96 minDelegation;
    /// Made in each epoch, at most.
    uint96 epochReward; // slot 2
    bytes32 genesisHash; // slot 3
}

/// Written by the nodes themselves (seal-epoch.ts), but for reading.
struct Clock {
    /// That is under way.
    uint32 epoch;
    /// The epoch whose set was decided last. Its seed is known, and validators reveal what they draw with it.
    uint32 round;
    /// The last epoch whose set was decided anew, so that it counts no stake which had left by then.
    uint32 fresh;
    uint64 sealedAt;
    /// Of the newest certificate that was counted, in this epoch.
    uint64 certifiedHeight;
    /// How many were counted in this epoch.
    uint16 certificates;
    bool started;
}

/// In wei. The contract's balance is their sum, unless somebody forces coins upon it.
struct Totals {
    uint128 bonded;
    uint128 unbonding;
    /// Rewards that nobody has taken yet.
    uint128 unclaimed;
    /// Slashed, and nobody's: it stays here for good.
    uint128 burned;
}

/// 16 slots, so that all that is asked at a block or at an epoch's end lies close together.
struct Staker {
    address operator; // slot 0
    /// Epoch from which it may leave jail.
    uint32 jailedUntil;
    /// Of 10,000 parts of a reward, those that are the operator's before delegators share the rest.
    uint16 commission;
    uint16 port;
    /// JAILED, TOMBSTONED, EXITED.
    uint8 status;
    /// How often it was slashed.
    uint8 slashes;
    /// First byte of its key of the random function.
    uint8 vrfKeyPrefix;
    uint96 bonded; // slot 1
    uint96 unbonding;
    /// When the commission changed last.
    uint32 commissionEpoch;
    /// In `candidates`, plus one; zero: not a candidate.
    uint32 place;
    /// Part of `bonded` that is the operator's.
    uint96 ownBonded; // slot 2
    uint128 commissionDue;
    /// The round in which it revealed last, plus one.
    uint32 revealed;
    /// Sum of what each bonded wei has earned, times 2^64.
    uint256 rewardPerWei; // slot 3
    /// What it revealed.
    bytes32 output; // slot 4
    /// What was bonded when the set of the last even and the last odd epoch was decided.
    uint96 snapshotEven; // slot 5
    uint96 snapshotOdd;
    bytes32 consensusKeyHead; // slot 6
    bytes16 consensusKeyTail; // slot 7
    bytes32 transportKey; // slot 8
    bytes32 vrfKeyTail; // slot 9
    bytes32[3] proofOfPossession; // slot 10
    /// Padded with zeros, like the host.
    bytes32 name; // slot 13
    bytes32[2] host; // slot 14
}

/// A validator of a set that was decided here.
struct Member {
    uint32 staker;
    uint64 weight;
    /// What was bonded when its weight was drawn.
    uint96 bonded;
}

struct Committee {
    uint32 epoch;
    /// The set in force is this one: then its members are counted and rewarded.
    bool inForce;
    Member[] members;
}

struct Delegation {
    uint96 amount;
    /// Rewards that were settled and not taken yet.
    uint128 due;
    /// How many of the validator's slashes have been taken off `amount`.
    uint8 slashes;
    uint256 rewardPerWei;
}

struct Unbonding {
    uint32 staker;
    uint96 amount;
    uint8 slashes;
    /// The epoch whose set was decided last, before it began: it may count this stake.
    uint32 countedIn;
}

/// What the account of staking keeps. Nodes read and write the same slots (layout.ts): a test compares both.
abstract contract StakingLayout {
    Settings internal settings_; // slot 0
    Clock internal clock_; // slot 4
    bytes32 internal seed_; // slot 5
    Totals internal totals_; // slot 6
    Staker[] internal stakers; // slot 8
    /// Who may be drawn: stakers' numbers.
    uint32[] internal candidates; // slot 9
    /// Of even and of odd epochs.
    Committee[2] internal committees; // slot 10
    /// What members did in this epoch, by their index; 65,535 at most.
    uint16[] internal proposals; // slot 14
    uint16[] internal signatures; // slot 15
    /// The fresh epoch after a fresh one: from then on, no set counts what had left before.
    mapping(uint256 => uint256) internal freshAfter; // slot 16
    /// keccak256 of any key that was ever handed in -> whose it is.
    mapping(bytes32 => uint256) internal holderOf; // slot 17
    mapping(address => uint256) internal stakerOf; // slot 18
    mapping(uint256 => mapping(address => Delegation)) internal delegations; // slot 19
    mapping(address => Unbonding[]) internal unbondings; // slot 20
    /// By staker and epoch of the contradiction.
    mapping(uint256 => mapping(uint256 => bool)) internal slashedIn; // slot 21
    /// Block in which a report was announced.
    mapping(bytes32 => uint256) internal announced; // slot 22
    mapping(address => uint256) internal reporterDue; // slot 23
    /// Which of the first stakers got their stake from genesis rather than from their accounts. One bit each.
    uint256 internal granted; // slot 24
    /// Sum of what was revealed in this round: whoever loses its place takes nothing back out of the next seed.
    uint256 internal drawn; // slot 25

    uint8 internal constant JAILED = 1;
    uint8 internal constant TOMBSTONED = 2;
    uint8 internal constant EXITED = 4;

    address internal constant SYSTEM = 0xffffFFFfFFffffffffffffffFfFFFfffFFFfFFfE;
    address internal constant VRF_PRECOMPILE = 0x00000000000000000000000000000000004d0d10;
    address internal constant EVIDENCE_PRECOMPILE = 0x00000000000000000000000000000000004D0d11;
    address internal constant POSSESSION_PRECOMPILE = 0x00000000000000000000000000000000004d0D12;

    uint256 internal constant MAX_COMMISSION = 5_000;
    /// How much a commission may rise in an epoch: delegators can leave before it hurts.
    uint256 internal constant MAX_COMMISSION_STEP = 100;
    uint256 internal constant COMMISSION_PARTS = 10_000;
    uint256 internal constant REWARD_SCALE_BITS = 64;
    /// What an epoch's end looks at.
    uint256 internal constant MAX_CANDIDATES = 1024;
    uint256 internal constant MAX_COMMITTEE = 256;
    uint256 internal constant MAX_EXPECTED_SEATS = 4096;
    /// What settings have room for.
    uint256 internal constant MAX_INITIAL_VALIDATORS = 60;
    /// Of one account: `withdraw` looks at all.
    uint256 internal constant MAX_UNBONDINGS = 32;
    uint256 internal constant MAX_SLASHES = 8;
    uint256 internal constant MIN_UNBONDING_EPOCHS = 4;
    /// Of what the operator itself loses, and of nothing that its delegators lose: nobody can gain by slashing oneself.
    uint256 internal constant REPORTER_PERCENT = 50;

    event Registered(uint256 indexed staker, address indexed operator, bytes consensusKey, bytes vrfKey, string name);
    event Delegated(uint256 indexed staker, address indexed delegator, uint256 amount);
    event Undelegated(uint256 indexed staker, address indexed delegator, uint256 amount);
    event Withdrawn(address indexed delegator, uint256 amount);
    event Claimed(uint256 indexed staker, address indexed account, uint256 amount);
    event ReporterPaid(address indexed reporter, uint256 amount);
    event CommissionChanged(uint256 indexed staker, uint256 commission);
    event ConsensusKeyChanged(uint256 indexed staker, bytes newKey);
    event TransportKeyChanged(uint256 indexed staker, bytes newKey);
    event EndpointChanged(uint256 indexed staker, string host, uint16 port);
    event Revealed(uint256 indexed staker, uint256 indexed round, bytes32 output);
    event Slashed(
        uint256 indexed staker, uint256 indexed epoch, address reporter, uint256 bonded, uint256 unbonding, uint8 kind
    );
    event Unjailed(uint256 indexed staker);
    event Exited(uint256 indexed staker);
    /// It is no candidate any more: others have more stake, and there are only so many places.
    event Displaced(uint256 indexed staker);
    event Rejoined(uint256 indexed staker);

    error NotTheSystem();
    error NotActive();
    error WrongSettings();
    error UnknownStaker(uint256 staker);
    error NotAnOperator(address account);
    error AlreadyAnOperator(address account);
    error WrongKeyLength();
    error WrongName();
    error WrongHost();
    error WrongPort();
    error KeyTaken(bytes key);
    error PossessionNotProved();
    error TooMuchCommission(uint256 most);
    error TooLittle(uint256 least);
    error TooMuch(uint256 most);
    error NoRoom();
    error IsJailed();
    error IsTombstoned();
    error HasExited();
    error NotJailed();
    error StillJailed(uint256 untilEpoch);
    error AlreadyRevealed();
    error NothingAtStake();
    error WrongProof();
    error WrongEvidence();
    error EvidenceOfOtherTimes(uint256 epoch);
    error AlreadySlashed();
    error NothingToTake();
    error UseExit();
    error IsCandidate();
    error TransferFailed();

    /// Where nothing counts epochs, as on a mined chain, stake could never leave again: then none comes in.
    modifier whenActive() {
        if (!settings_.active || !clock_.started) revert NotActive();
        _;
    }

    function stakerAt(uint256 staker) internal view returns (Staker storage) {
        if (staker == 0 || staker > stakers.length) revert UnknownStaker(staker);
        return stakers[staker - 1];
    }

    /// The sender's own.
    function ownStaker() internal view returns (uint256 staker, Staker storage own) {
        staker = stakerOf[msg.sender];
        if (staker == 0) revert NotAnOperator(msg.sender);
        own = stakers[staker - 1];
    }

    /// What a slash leaves of an amount. Rounded down for each account; the sums are rounded up, so that they cover them.
    function afterSlashes(uint256 amount, uint256 slashes) internal view returns (uint256) {
        uint256 kept = 100 - settings_.slashPercent;
        for (uint256 i = 0; i < slashes; i++) amount = amount * kept / 100;
        return amount;
    }
}
