// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

struct Key {
    /// Of the registry in core/crypto/schemes.ts.
    uint8 schemeId;
    bytes publicKey;
}

struct NewSet {
    /// How many keys must sign: 1 (any of them) to as many as there are (all of them).
    uint8 threshold;
    Key[] keys;
    /// Seconds that a change of this set waits.
    uint32 timelock;
    /// Cancels changes. schemeId 0: none.
    Key guardian;
}

struct Authorization {
    uint8 keyIndex;
    bytes signature;
}

/// Which keys act for an account. Nodes read it from storage (core/execution/key-sets.ts), by the layout below: types 0 to 4 of an account whose
/// newest set does not accept its own secp256k1 key alone are void, and transactions of type 0x60 name the version of the set that signs them.
///
/// An account changes its own set and no other one. All versions stay: when elliptic curves are declared broken, those that elliptic keys alone
/// made since the break count for nothing, and neither do such keys.
contract KeySets {
    /// Where a key lies: it is the code of an account that anybody finds by the key (`keyAddress`), behind one zero and the scheme's id.
    struct StoredKey {
        address location;
        uint8 schemeId;
    }

    struct Set {
        uint8 threshold;
        uint8 count;
        uint8 postQuantumCount;
        /// Whether post-quantum keys made this set.
        bool isPostQuantum;
        /// Made after the declaration, when others can make none.
        bool isAfterBreak;
        /// Accepts the account's own secp256k1 key alone.
        bool isOpen;
        uint32 timelock;
        /// Seconds; 0: not yet.
        uint64 appliedAt;
        /// Versions up to this one that elliptic keys alone made.
        uint32 ellipticCount;
        StoredKey guardian;
        StoredKey[8] keys;
    }

    struct Account {
        /// The newest; 0: none.
        uint32 version;
        /// How many were proposed.
        uint32 proposals;
        /// When the proposal, which stands in the place of the next version, may be applied; 0: there is none.
        uint64 readyAt;
        /// The guardian has cancelled: until then it must approve of a proposal.
        uint64 blockedUntil;
        /// The guardian approved of the proposal: only it may cancel.
        bool isApproved;
        bytes32 proposalHash;
        /// keccak256(schemeId || publicKey) of a post-quantum key.
        bytes32 commitment;
        uint64 committedSince;
        uint32 commitments;
    }

    mapping(address => Account) private accounts;
    mapping(address => mapping(uint256 => Set)) private sets;
    /// Bit i: scheme i may be in a set.
    uint256 public allowedSchemes;
    uint32 public timelockMinimum;
    uint8 public breakThreshold;
    /// Seconds; 0: elliptic curves are not broken.
    uint64 public brokenSince;
    /// The first block in which it counts.
    uint64 public brokenFromBlock;
    StoredKey[] private breakers;

    uint256 public constant MAX_KEYS = 8;
    uint32 public constant MAX_TIMELOCK = 366 days;

    uint8 private constant SECP256K1 = 2;
    uint8 private constant FIRST_POST_QUANTUM = 6;
    uint8 private constant LAST_POST_QUANTUM = 10;
    uint256 private constant VERIFY_SPACE = 0x76657200;
    address private constant AUTHORIZATION = address(0x61757468);
    bytes private constant CONTEXT = "ostrom/keyset";

    bytes32 private constant POSSESSION = keccak256("ostrom/keyset/1");
    bytes32 private constant APPROVAL = keccak256("ostrom/keyset-approval/1");
    bytes32 private constant CANCELLATION = keccak256("ostrom/keyset-cancellation/1");
    bytes32 private constant PROTECTION = keccak256("ostrom/protection/1");
    bytes32 private constant BREAK = keccak256("ostrom/elliptic-curves-broken/1");
    bytes32 private constant MESSAGE = keccak256("ostrom/message/1");

    /// Nodes make the account delegate to KeyedAccount, or to nothing, at the end of the transaction.
    event Guarded(address indexed account, bool isGuarded);
    event Proposed(address indexed account, uint32 version, uint32 proposal, bytes32 setHash, uint64 readyAt);
    event Cancelled(address indexed account, uint32 proposal, bool byGuardian);
    event Applied(address indexed account, uint32 version);
    event Protected(address indexed account, bytes32 commitment);
    event EllipticCurvesBroken(uint64 since, uint64 fromBlock);

    error NotTheAccount(address caller);
    error HasKeys();
    error HasNoKeys();
    error WrongThreshold();
    error WrongKeyCount();
    error WrongKeyLength(uint8 schemeId);
    error SchemeNotAllowed(uint8 schemeId);
    error DuplicateKey(uint256 index);
    error WrongTimelock();
    error WrongSignature(uint256 index);
    error WrongSignatureCount();
    error CommittedKeyMissing();
    error AlreadyProposed();
    error NothingProposed();
    error TooSoon(uint64 readyAt);
    error GuardianMustApprove();
    error OnlyGuardianCancels();
    error Void();
    error AlreadyProtected();
    error WrongCommitment();
    error AlreadyBroken();
    error WrongTime();
    error NobodyMay();

    /// A transaction of the account itself: nothing that it delegates to, and nothing under construction.
    modifier onlyAccount() {
        if (msg.sender != tx.origin) revert NotTheAccount(msg.sender);
        _;
    }

    /// Gives an account its first keys, at once.
    /// @param signatures one by each new key, in their order, on `possessionDigest`.
    function enroll(NewSet calldata set, bytes[] calldata signatures) external onlyAccount {
        if (governingVersion(msg.sender) != 0) revert HasKeys();
        Account storage account = accounts[msg.sender];
        if (account.commitment != 0) requireCommittedKey(set, account.commitment);
        // One from before the break counts for nothing any more.
        account.readyAt = 0;
        uint32 version = account.version + 1;
        writeSet(msg.sender, version, set, signatures);
        activate(msg.sender, version);
    }

    /// Proposes other keys, which `apply` puts in the place of the present ones when the timelock has passed.
    /// @param signatures one by each new key, in their order, on `possessionDigest`. @param approval the guardian's signature on
    /// `approvalDigest`, or nothing; it is needed while the guardian blocks proposals, and has the proposal cancelled by the guardian alone.
    function propose(NewSet calldata set, bytes[] calldata signatures, bytes calldata approval) external onlyAccount {
        uint32 governing = governingVersion(msg.sender);
        if (governing == 0) revert HasNoKeys();
        Account storage account = accounts[msg.sender];
        if (account.readyAt != 0) revert AlreadyProposed();
        uint32 version = account.version + 1;
        uint32 proposal = ++account.proposals;
        bytes32 hash = writeSet(msg.sender, version, set, signatures);
        Set storage present = sets[msg.sender][governing];
        account.isApproved = approval.length > 0
            && isSignedBy(present.guardian, digestOf(APPROVAL, msg.sender, proposal, hash), approval);
        if (!account.isApproved && (approval.length > 0 || block.timestamp < account.blockedUntil)) {
            revert GuardianMustApprove();
        }
        account.proposalHash = hash;
        account.readyAt = uint64(block.timestamp) + present.timelock;
        emit Proposed(msg.sender, version, proposal, hash, account.readyAt);
    }

    /// Takes the account's proposal back, unless its guardian approved of it.
    function cancel() external onlyAccount {
        Account storage account = accounts[msg.sender];
        if (account.readyAt == 0) revert NothingProposed();
        // What elliptic keys began before the break, post-quantum keys may end.
        if (account.isApproved && !isBroken()) revert OnlyGuardianCancels();
        account.readyAt = 0;
        emit Cancelled(msg.sender, account.proposals, false);
    }

    /// Takes a proposal back by the guardian's signature on `cancellationDigest`, whoever sends it, and has the guardian approve of proposals
    /// for one timelock.
    function cancelByGuardian(address owner, bytes calldata signature) external {
        Account storage account = accounts[owner];
        if (account.readyAt == 0) revert NothingProposed();
        Set storage present = sets[owner][governingVersion(owner)];
        if (!isSignedBy(present.guardian, digestOf(CANCELLATION, owner, account.proposals, account.proposalHash), signature)) {
            revert WrongSignature(0);
        }
        account.readyAt = 0;
        account.blockedUntil = uint64(block.timestamp) + present.timelock;
        emit Cancelled(owner, account.proposals, true);
    }

    /// Puts an account's proposal in force. Anybody may.
    function applyProposal(address owner) external {
        Account storage account = accounts[owner];
        if (account.readyAt == 0) revert NothingProposed();
        if (block.timestamp < account.readyAt) revert TooSoon(account.readyAt);
        uint32 version = account.version + 1;
        Set storage next = sets[owner][version];
        if (isBroken() && !next.isAfterBreak) {
            if (!next.isPostQuantum || governingVersion(owner) != account.version) revert Void();
        }
        activate(owner, version);
    }

    /// Commits the account to a post-quantum key, that it alone may act for the account when elliptic curves are broken.
    /// @param commitment keccak256(schemeId || publicKey).
    function protect(bytes32 commitment) external onlyAccount {
        Account storage account = accounts[msg.sender];
        if (account.commitment != 0) revert AlreadyProtected();
        if (commitment == 0) revert WrongCommitment();
        account.commitment = commitment;
        account.committedSince = uint64(block.timestamp);
        emit Protected(msg.sender, commitment);
    }

    /// Replaces a commitment by the committed key's signature on `protectionDigest`, whoever sends it. It stays as old as it was.
    function changeProtection(address owner, bytes32 commitment, Key calldata committed, bytes calldata signature) external {
        Account storage account = accounts[owner];
        if (commitment == 0 || account.commitment == 0 || keyHash(committed) != account.commitment) {
            revert WrongCommitment();
        }
        if (!isPostQuantumScheme(committed.schemeId)) revert SchemeNotAllowed(committed.schemeId);
        bytes32 digest = digestOf(PROTECTION, owner, account.commitments, commitment);
        if (!isValid(committed.schemeId, committed.publicKey, digest, signature)) revert WrongSignature(0);
        account.commitments++;
        account.commitment = commitment;
        emit Protected(owner, commitment);
    }

    /// Declares, once, that elliptic curves have been broken since a time. It counts from the next block on.
    /// @param signatures of genesis' breakers on `breakDigest`, in ascending order.
    function declareBroken(uint64 since, Authorization[] calldata signatures) external {
        if (brokenSince != 0) revert AlreadyBroken();
        if (since == 0 || since > block.timestamp) revert WrongTime();
        if (breakThreshold == 0) revert NobodyMay();
        if (signatures.length < breakThreshold) revert WrongSignatureCount();
        bytes32 digest = breakDigest(since);
        for (uint256 i = 0; i < signatures.length; i++) {
            uint8 index = signatures[i].keyIndex;
            bool isAscending = i == 0 || index > signatures[i - 1].keyIndex;
            if (!isAscending || index >= breakers.length || !isSignedBy(breakers[index], digest, signatures[i].signature)) {
                revert WrongSignature(i);
            }
        }
        brokenSince = since;
        brokenFromBlock = uint64(block.number) + 1;
        emit EllipticCurvesBroken(since, brokenFromBlock);
    }

    /// Whether the account's keys have signed a message of its own (ERC-1271).
    /// @param signature abi.encode(Authorization[]), in ascending order of the keys, each on `messageDigest`.
    function isAuthorized(address owner, bytes32 hash, bytes calldata signature) external view returns (bool) {
        uint32 version = governingVersion(owner);
        if (version == 0) return false;
        Authorization[] memory authorizations = abi.decode(signature, (Authorization[]));
        Set storage set = sets[owner][version];
        bytes32 digest = digestOf(MESSAGE, owner, version, hash);
        uint256 valid = 0;
        for (uint256 i = 0; i < authorizations.length; i++) {
            uint8 index = authorizations[i].keyIndex;
            if (index >= set.count || (i > 0 && index <= authorizations[i - 1].keyIndex)) return false;
            if (!isSignedBy(set.keys[index], digest, authorizations[i].signature)) return false;
            valid++;
        }
        return valid >= neededOf(set);
    }

    /// The version that acts for the account; 0: none does, and it acts as an account without keys on chain. Until elliptic curves are broken
    /// it is the newest; from then on it is the one before the first that elliptic keys alone made since the break, if it has a post-quantum key.
    function governingVersion(address owner) public view returns (uint32) {
        uint32 newest = accounts[owner].version;
        if (!isBroken()) return newest;
        uint32 version = unvoidedVersion(owner, newest);
        return sets[owner][version].postQuantumCount == 0 ? 0 : version;
    }

    function isBroken() public view returns (bool) {
        return brokenSince != 0 && block.number >= brokenFromBlock;
    }

    function accountOf(address owner) external view returns (Account memory) {
        return accounts[owner];
    }

    /// A version's content; the one after the newest is what is proposed.
    function setOf(address owner, uint32 version) external view returns (Set memory set, Key[] memory keys, Key memory guardian) {
        set = sets[owner][version];
        keys = new Key[](set.count);
        for (uint256 i = 0; i < set.count; i++) keys[i] = keyOf(set.keys[i]);
        guardian = keyOf(set.guardian);
    }

    function breakerCount() external view returns (uint256) {
        return breakers.length;
    }

    function breakerAt(uint256 index) external view returns (Key memory) {
        return keyOf(breakers[index]);
    }

    function setHash(NewSet calldata set) public pure returns (bytes32) {
        return keccak256(abi.encode(set));
    }

    /// What each key of a new set signs.
    function possessionDigest(address owner, uint32 version, bytes32 hash) public view returns (bytes32) {
        return digestOf(POSSESSION, owner, version, hash);
    }

    /// What the guardian signs to approve of a proposal. @param proposal one more than `accountOf` has of `proposals`.
    function approvalDigest(address owner, uint32 proposal, bytes32 hash) external view returns (bytes32) {
        return digestOf(APPROVAL, owner, proposal, hash);
    }

    function cancellationDigest(address owner, uint32 proposal, bytes32 hash) external view returns (bytes32) {
        return digestOf(CANCELLATION, owner, proposal, hash);
    }

    /// @param number of changes before, as `accountOf` has it.
    function protectionDigest(address owner, uint32 number, bytes32 commitment) external view returns (bytes32) {
        return digestOf(PROTECTION, owner, number, commitment);
    }

    function messageDigest(address owner, uint32 version, bytes32 hash) external view returns (bytes32) {
        return digestOf(MESSAGE, owner, version, hash);
    }

    function breakDigest(uint64 since) public view returns (bytes32) {
        return keccak256(abi.encode(BREAK, block.chainid, since));
    }

    function writeSet(address owner, uint32 version, NewSet calldata set, bytes[] calldata signatures)
        private
        returns (bytes32 hash)
    {
        uint256 count = set.keys.length;
        if (count == 0 || count > MAX_KEYS) revert WrongKeyCount();
        if (set.threshold == 0 || set.threshold > count) revert WrongThreshold();
        if (set.timelock < timelockMinimum || set.timelock > MAX_TIMELOCK) revert WrongTimelock();
        if (signatures.length != count) revert WrongSignatureCount();
        hash = setHash(set);
        bytes32 digest = possessionDigest(owner, version, hash);
        Set storage written = sets[owner][version];
        bool isOpen = false;
        uint8 postQuantumCount = 0;
        for (uint256 i = 0; i < count; i++) {
            Key calldata key = set.keys[i];
            requireKey(key);
            if (!isValid(key.schemeId, key.publicKey, digest, signatures[i])) revert WrongSignature(i);
            address location = storeKey(key);
            for (uint256 other = 0; other < i; other++) {
                if (written.keys[other].location == location) revert DuplicateKey(i);
            }
            written.keys[i] = StoredKey(location, key.schemeId);
            if (isPostQuantumScheme(key.schemeId)) postQuantumCount++;
            isOpen = isOpen || (set.threshold == 1 && isOwnKey(owner, key));
        }
        if (set.guardian.schemeId != 0) requireKey(set.guardian);
        written.guardian =
            set.guardian.schemeId == 0 ? StoredKey(address(0), 0) : StoredKey(storeKey(set.guardian), set.guardian.schemeId);
        written.threshold = set.threshold;
        written.count = uint8(count);
        written.postQuantumCount = postQuantumCount;
        written.isPostQuantum = isAuthorizedByPostQuantum();
        written.isAfterBreak = isBroken();
        written.isOpen = isOpen;
        written.timelock = set.timelock;
        written.appliedAt = 0;
    }

    function activate(address owner, uint32 version) private {
        Account storage account = accounts[owner];
        Set storage set = sets[owner][version];
        set.appliedAt = uint64(block.timestamp);
        set.ellipticCount = sets[owner][version - 1].ellipticCount + (set.isPostQuantum ? 0 : 1);
        account.version = version;
        account.readyAt = 0;
        emit Applied(owner, version);
        emit Guarded(owner, !set.isOpen);
    }

    /// Both searches are binary, so that nobody makes them long: times and counts rise with versions.
    function unvoidedVersion(address owner, uint32 newest) private view returns (uint32) {
        mapping(uint256 => Set) storage versions = sets[owner];
        if (newest == 0 || versions[newest].isAfterBreak) return newest;
        // The first version that was applied since the break.
        uint32 low = 1;
        uint32 high = newest + 1;
        while (low < high) {
            uint32 middle = (low + high) / 2;
            if (versions[middle].appliedAt >= brokenSince) high = middle;
            else low = middle + 1;
        }
        // The last one before another was made by elliptic keys alone.
        uint32 before = versions[low - 1].ellipticCount;
        high = newest + 1;
        while (low < high) {
            uint32 middle = (low + high) / 2;
            if (versions[middle].ellipticCount > before) high = middle;
            else low = middle + 1;
        }
        return low - 1;
    }

    function neededOf(Set storage set) private view returns (uint256) {
        // Signatures of elliptic keys are not valid any more.
        if (!isBroken()) return set.threshold;
        return set.threshold < set.postQuantumCount ? set.threshold : set.postQuantumCount;
    }

    function requireKey(Key calldata key) private view {
        if ((allowedSchemes >> key.schemeId) & 1 == 0) revert SchemeNotAllowed(key.schemeId);
        if (key.publicKey.length != publicKeyLength(key.schemeId)) revert WrongKeyLength(key.schemeId);
    }

    function requireCommittedKey(NewSet calldata set, bytes32 commitment) private pure {
        for (uint256 i = 0; i < set.keys.length; i++) {
            if (isPostQuantumScheme(set.keys[i].schemeId) && keyHash(set.keys[i]) == commitment) return;
        }
        revert CommittedKeyMissing();
    }

    function keyHash(Key calldata key) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(key.schemeId, key.publicKey));
    }

    function isOwnKey(address owner, Key calldata key) private pure returns (bool) {
        return key.schemeId == SECP256K1 && address(uint160(uint256(keccak256(key.publicKey)))) == owner;
    }

    function isPostQuantumScheme(uint8 schemeId) private pure returns (bool) {
        return schemeId >= FIRST_POST_QUANTUM && schemeId <= LAST_POST_QUANTUM;
    }

    function publicKeyLength(uint8 schemeId) private pure returns (uint256) {
        if (schemeId == SECP256K1 || schemeId == 3 || schemeId == 5) return 64;
        if (schemeId == 4 || schemeId == 9) return 32;
        if (schemeId == 6) return 1312;
        if (schemeId == 7) return 1952;
        if (schemeId == 8) return 2592;
        if (schemeId == 10) return 897;
        if (schemeId == 11) return 96;
        revert SchemeNotAllowed(schemeId);
    }

    /// @return location where the key lies, or will.
    function storeKey(Key calldata key) private returns (address location) {
        bytes memory code = initCode(key);
        location = address(
            uint160(uint256(keccak256(abi.encodePacked(bytes1(0xff), address(this), bytes32(0), keccak256(code)))))
        );
        if (location.code.length > 0) return location;
        address created;
        assembly ("memory-safe") {
            created := create2(0, add(code, 32), mload(code), 0)
        }
        assert(created == location);
    }

    /// Leaves 0x00 || schemeId || publicKey as code.
    function initCode(Key calldata key) private pure returns (bytes memory) {
        return abi.encodePacked(
            hex"61", uint16(key.publicKey.length + 2), hex"80600a5f395ff3", hex"00", key.schemeId, key.publicKey
        );
    }

    function keyOf(StoredKey memory stored) private view returns (Key memory key) {
        if (stored.schemeId == 0) return key;
        key.schemeId = stored.schemeId;
        key.publicKey = publicKeyOf(stored.location);
    }

    function publicKeyOf(address location) private view returns (bytes memory publicKey) {
        uint256 length = location.code.length - 2;
        publicKey = new bytes(length);
        assembly ("memory-safe") {
            extcodecopy(location, add(publicKey, 32), 2, length)
        }
    }

    function digestOf(bytes32 tag, address owner, uint32 number, bytes32 hash) private view returns (bytes32) {
        return keccak256(abi.encode(tag, block.chainid, owner, number, hash));
    }

    function isSignedBy(StoredKey storage key, bytes32 digest, bytes memory signature) private view returns (bool) {
        if (key.schemeId == 0) return false;
        return isValid(key.schemeId, publicKeyOf(key.location), digest, signature);
    }

    /// @param publicKey of its scheme's length: else a key could reach into its signature.
    function isValid(uint8 schemeId, bytes memory publicKey, bytes32 digest, bytes memory signature)
        private
        view
        returns (bool)
    {
        if (publicKey.length != publicKeyLength(schemeId)) return false;
        bool hasContext = schemeId >= FIRST_POST_QUANTUM && schemeId < LAST_POST_QUANTUM;
        bytes memory context = hasContext ? CONTEXT : bytes("");
        (bool succeeded, bytes memory answer) = address(uint160(VERIFY_SPACE | schemeId)).staticcall(
            abi.encodePacked(uint16(context.length), context, uint32(32), digest, publicKey, signature)
        );
        return succeeded && answer.length == 32;
    }

    function isAuthorizedByPostQuantum() private view returns (bool) {
        (bool succeeded, bytes memory answer) = AUTHORIZATION.staticcall("");
        return succeeded && answer.length == 32 && abi.decode(answer, (uint256)) == 1;
    }
}
