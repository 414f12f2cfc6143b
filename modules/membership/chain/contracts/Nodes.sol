// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Validator} from "../../../../languages/solidity/validator-sets/ValidatorSetLayout.sol";
import {Holder, Node, Organisation} from "./MembershipState.sol";
import {Organisations} from "./Organisations.sol";

/// The organisations' machines. What is changed here counts from the next epoch whose set has not been decided yet. Proofs of possession
/// are not checked here: every node does it when it reads the set, and leaves out the validator that has none.
abstract contract Nodes is Organisations {
    event NodeAdded(
        uint32 indexed organisation, uint32 indexed node, uint8 role, string name, bytes transportKey, address by
    );
    event NodeRemoved(uint32 indexed organisation, uint32 indexed node, address by);
    event ConsensusKeyChanged(uint32 indexed organisation, uint32 indexed node, bytes consensusKey, address by);
    event TransportKeyChanged(uint32 indexed organisation, uint32 indexed node, bytes transportKey, address by);
    event EndpointChanged(uint32 indexed organisation, uint32 indexed node, string host, uint16 port, address by);
    event FeeAccountChanged(uint32 indexed organisation, uint32 indexed node, address account, address by);
    event WeightChanged(uint32 indexed organisation, uint32 indexed node, uint64 weight, address by);
    event NodeFilterChanged(uint32 indexed organisation, uint32 indexed node, address[] filter, address by);

    /// @param role 1 validator, 2 observer, which has no consensus key, proof or weight.
    /// @param filter of an observer: the accounts that it wants to follow; empty: all that its organisation may see.
    /// @return id by which it is named from now on.
    function addNode(uint32 organisation, uint8 role, Validator calldata keys, address[] calldata filter)
        external
        onlyFor(organisation)
        returns (uint32 id)
    {
        Organisation storage entry = organisations[organisation];
        id = ++lastNode;
        checkEndpoint(keys.host, keys.port);
        if (bytes(keys.name).length > MAX_NAME_BYTES || !checkText(bytes(keys.name), NAME_CHARACTERS)) revert WrongName();
        if (role == VALIDATOR) {
            if (filter.length != 0) revert WrongRole();
            if (entry.validators >= entry.limits.validators || validatorNodes == MAX_VALIDATORS) revert TooMany();
            changeWeight(entry, 0, keys.weight);
            entry.validators++;
            validatorNodes++;
            if (isActive(organisation)) liveValidators++;
            takeConsensusKey(keys.consensusKey, keys.proofOfPossession, id, organisation);
        } else if (role == OBSERVER) {
            if (keys.consensusKey.length + keys.proofOfPossession.length + keys.weight != 0) revert WrongRole();
            if (entry.observers >= entry.limits.observers || filter.length > MAX_FILTER) revert TooMany();
            entry.observers++;
        } else {
            revert WrongRole();
        }
        takeTransportKey(keys.transportKey, id, organisation);
        Node storage node = nodes[id];
        node.keys = keys;
        node.organisation = organisation;
        node.role = role;
        node.position = uint16(entry.nodes.length);
        node.filter = filter;
        entry.nodes.push(id);
        emit NodeAdded(organisation, id, role, keys.name, keys.transportKey, msg.sender);
    }

    function removeNode(uint32 id) external {
        (Node storage node, uint32 organisation) = own(id);
        Organisation storage entry = organisations[organisation];
        if (node.role == VALIDATOR && isActive(organisation)) {
            if (liveValidators == 1) revert LastValidator();
            liveValidators--;
        }
        uint256 position = node.position;
        uint32 last = entry.nodes[entry.nodes.length - 1];
        entry.nodes[position] = last;
        nodes[last].position = uint16(position);
        entry.nodes.pop();
        forgetNode(id, node, organisation, entry);
    }

    /// Until the next set begins, the validator signs with its old key: it keeps both.
    function setConsensusKey(uint32 id, bytes calldata key, bytes calldata proof) external {
        (Node storage node, uint32 organisation) = own(id);
        if (node.role != VALIDATOR) revert WrongRole();
        releaseKey(node.keys.consensusKey);
        takeConsensusKey(key, proof, id, organisation);
        node.keys.consensusKey = key;
        node.keys.proofOfPossession = proof;
        emit ConsensusKeyChanged(organisation, id, key, msg.sender);
    }

    function setTransportKey(uint32 id, bytes calldata key) external {
        (Node storage node, uint32 organisation) = own(id);
        releaseKey(node.keys.transportKey);
        takeTransportKey(key, id, organisation);
        node.keys.transportKey = key;
        emit TransportKeyChanged(organisation, id, key, msg.sender);
    }

    function setEndpoint(uint32 id, string calldata host, uint16 port) external {
        (Node storage node, uint32 organisation) = own(id);
        checkEndpoint(host, port);
        node.keys.host = host;
        node.keys.port = port;
        emit EndpointChanged(organisation, id, host, port, msg.sender);
    }

    /// Who receives the fees of the blocks that it proposes.
    function setFeeAccount(uint32 id, address account) external {
        (Node storage node, uint32 organisation) = own(id);
        node.keys.account = account;
        emit FeeAccountChanged(organisation, id, account, msg.sender);
    }

    function setWeight(uint32 id, uint64 weight) external {
        (Node storage node, uint32 organisation) = own(id);
        if (node.role != VALIDATOR) revert WrongRole();
        changeWeight(organisations[organisation], node.keys.weight, weight);
        node.keys.weight = weight;
        emit WeightChanged(organisation, id, weight, msg.sender);
    }

    function setNodeFilter(uint32 id, address[] calldata filter) external {
        (Node storage node, uint32 organisation) = own(id);
        if (node.role != OBSERVER) revert WrongRole();
        if (filter.length > MAX_FILTER) revert TooMany();
        node.filter = filter;
        emit NodeFilterChanged(organisation, id, filter, msg.sender);
    }

    /// Of an organisation that goes; it is not active any more.
    function forgetNodes(uint32 organisation, Organisation storage found) internal override {
        uint32[] memory ids = found.nodes;
        for (uint256 i = 0; i < ids.length; i++) {
            forgetNode(ids[i], nodes[ids[i]], organisation, found);
        }
        delete found.nodes;
    }

    function forgetNode(uint32 id, Node storage node, uint32 organisation, Organisation storage entry) private {
        releaseKey(node.keys.transportKey);
        if (node.role == VALIDATOR) {
            releaseKey(node.keys.consensusKey);
            entry.weight -= node.keys.weight;
            entry.validators--;
            validatorNodes--;
        } else {
            entry.observers--;
        }
        delete nodes[id];
        emit NodeRemoved(organisation, id, msg.sender);
    }

    function own(uint32 id) private view returns (Node storage node, uint32 organisation) {
        node = nodes[id];
        organisation = node.organisation;
        if (organisation == 0) revert UnknownNode(id);
        checkActor(organisation);
    }

    function takeConsensusKey(bytes calldata key, bytes calldata proof, uint32 node, uint32 organisation) private {
        if (proofBytes(key.length) != proof.length || proof.length == 0) revert WrongKeyLength();
        takeKey(key, node, organisation);
    }

    function takeTransportKey(bytes calldata key, uint32 node, uint32 organisation) private {
        // Ed25519, SM2, ML-DSA-44; of which kind the chain's links are, genesis says.
        if (key.length != 32 && key.length != 64 && key.length != 1312) revert WrongKeyLength();
        takeKey(key, node, organisation);
    }

    /// Of the schemes that validators vote by (core/crypto/validator-scheme.ts): how long a proof of possession of such a key is; 0: of none.
    function proofBytes(uint256 keyBytes) private pure returns (uint256) {
        if (keyBytes == 48) return 96; // BLS12-381
        if (keyBytes == 64) return 64; // SM2
        if (keyBytes == 1312) return 2420; // ML-DSA-44
        return keyBytes == 1952 ? 3309 : 0; // ML-DSA-65
    }

    /// A key that was an organisation's stays its own until it is removed, so that nobody else can pass for the machine that had it.
    function takeKey(bytes calldata key, uint32 node, uint32 organisation) private {
        Holder storage holder = holderOf[keccak256(key)];
        uint32 before = holder.organisation;
        if (holder.node != 0) revert KeyTaken(key);
        if (before != 0 && before != organisation && organisations[before].standing != REMOVED) revert KeyTaken(key);
        holder.node = node;
        holder.organisation = organisation;
    }

    function releaseKey(bytes memory key) private {
        holderOf[keccak256(key)].node = 0;
    }

    function changeWeight(Organisation storage entry, uint64 before, uint64 weight) private {
        if (weight == 0) revert ZeroWeight();
        uint256 total = uint256(entry.weight) - before + weight;
        // Where the members have lowered the limit below what there is, less of it is no wrong.
        if (total > entry.limits.weight && weight > before) revert TooMuchWeight();
        entry.weight = uint64(total);
    }

    function checkEndpoint(string calldata host, uint16 port) private pure {
        if (bytes(host).length > MAX_HOST_BYTES || !checkText(bytes(host), HOST_CHARACTERS)) revert WrongHost();
        if (port == 0) revert WrongPort();
    }
}
