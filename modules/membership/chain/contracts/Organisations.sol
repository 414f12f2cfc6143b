// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Limits, MembershipState, Organisation} from "./MembershipState.sol";

/// Who is a member, who acts for it, and what its accounts may do. Each event names who did it: this contract itself where the
/// members or the owner decided.
abstract contract Organisations is MembershipState {
    event OrganisationAdmitted(uint32 indexed organisation, string name, address admin);
    event OrganisationSuspended(uint32 indexed organisation);
    event OrganisationResumed(uint32 indexed organisation);
    event OrganisationRemoved(uint32 indexed organisation);
    event LimitsChanged(uint32 indexed organisation, Limits limits);
    event FilterChanged(uint32 indexed organisation, address[] filter);
    event AdminOffered(uint32 indexed organisation, address indexed admin, address by);
    event AdminChanged(uint32 indexed organisation, address indexed previous, address indexed admin, address by);
    event AccountChanged(uint32 indexed organisation, address indexed account, uint8 roles, address by);
    event CertificateAdded(uint32 indexed organisation, bytes32 indexed hash, address by);
    event CertificateRemoved(uint32 indexed organisation, bytes32 indexed hash, address by);

    /// @return id by which it is named from now on. It has no nodes yet.
    function admit(string calldata name, address admin, Limits calldata limits, address[] calldata filter)
        external
        onlyMembers
        returns (uint32 id)
    {
        if (lastOrganisation == MAX_ORGANISATIONS) revert TooMany();
        if (bytes(name).length > MAX_NAME_BYTES || !checkText(bytes(name), ORGANISATION_NAME_CHARACTERS)) {
            revert WrongName();
        }
        id = ++lastOrganisation;
        Organisation storage admitted = organisations[id];
        admitted.standing = ACTIVE;
        admitted.name = name;
        activate(id, 0);
        emit OrganisationAdmitted(id, name, admin);
        putAdmin(id, admitted, admin);
        putLimits(id, admitted, limits);
        putFilter(id, admitted, filter);
    }

    /// Its admin can do nothing any more, its accounts lose what it gave them, its validators leave with the next set, its votes do not
    /// count.
    function suspend(uint32 organisation) external onlyMembers {
        Organisation storage found = known(organisation);
        if (found.standing != ACTIVE) revert WrongStanding();
        found.standing = SUSPENDED;
        deactivate(organisation, found.validators);
        emit OrganisationSuspended(organisation);
    }

    function resume(uint32 organisation) external onlyMembers {
        Organisation storage found = known(organisation);
        if (found.standing != SUSPENDED) revert WrongStanding();
        found.standing = ACTIVE;
        activate(organisation, found.validators);
        emit OrganisationResumed(organisation);
    }

    /// For good: an organisation that comes back is a new one.
    function remove(uint32 organisation) external onlyMembers {
        Organisation storage found = known(organisation);
        if (found.standing == ACTIVE) deactivate(organisation, found.validators);
        found.standing = REMOVED;
        delete organisationOfAdmin[found.admin];
        delete found.admin;
        delete found.pendingAdmin;
        forgetNodes(organisation, found);
        emit OrganisationRemoved(organisation);
    }

    /// What it already has beyond new limits stays; more of it, it cannot have.
    function setLimits(uint32 organisation, Limits calldata limits) external onlyMembers {
        putLimits(organisation, known(organisation), limits);
    }

    function setFilter(uint32 organisation, address[] calldata filter) external onlyMembers {
        putFilter(organisation, known(organisation), filter);
    }

    /// The admin offers its place, the new one takes it: so nobody is made the admin of an organisation that it knows nothing of.
    function offerAdmin(uint32 organisation, address admin) external onlyFor(organisation) {
        organisations[organisation].pendingAdmin = admin;
        emit AdminOffered(organisation, admin, msg.sender);
    }

    function takeAdmin(uint32 organisation) external {
        if (executing) revert NotWhileExecuting();
        Organisation storage found = known(organisation);
        if (!isActive(organisation)) revert OrganisationIsSuspended(organisation);
        if (msg.sender != found.pendingAdmin) revert NotItsAdmin(msg.sender, organisation);
        putAdmin(organisation, found, msg.sender);
    }

    /// For an organisation whose admin has lost its key.
    function setAdmin(uint32 organisation, address admin) external onlyMembers {
        putAdmin(organisation, known(organisation), admin);
    }

    /// @param roles bits 0 to 3: sender, deployer, operator, auditor. None: the account is no longer the organisation's.
    function setAccount(uint32 organisation, address account, uint8 roles) external onlyFor(organisation) {
        if (account == address(0)) revert ZeroAddress();
        if (roles >> ROLE_COUNT != 0) revert WrongRole();
        Organisation storage found = organisations[organisation];
        uint256 place = places[organisation][account] >> 8;
        if (roles == 0) {
            if (place != 0) forgetAccount(organisation, found, place);
        } else if (place == 0) {
            if (found.accounts.length >= found.limits.accounts) revert TooMany();
            found.accounts.push(account);
            place = found.accounts.length;
        }
        places[organisation][account] = roles == 0 ? 0 : (place << 8) | roles;
        uint256 word = organisation >> 8;
        uint256 bit = 1 << (organisation & 255);
        for (uint256 role = 0; role < ROLE_COUNT; role++) {
            uint256 key = (role << 2) | word;
            uint256 before = grants[account][key];
            uint256 granted = (roles >> role) & 1 == 1 ? before | bit : before & ~bit;
            if (granted != before) grants[account][key] = granted;
        }
        emit AccountChanged(organisation, account, roles, msg.sender);
    }

    /// Beside the one that is there, so that nodes can change to certificates under the new one before the old one goes.
    function addCertificate(uint32 organisation, bytes calldata certificate) external onlyFor(organisation) {
        if (certificate.length == 0 || certificate.length > MAX_CERTIFICATE_BYTES) revert WrongCertificate();
        bytes[] storage certificates = organisations[organisation].certificates;
        if (certificates.length == MAX_CERTIFICATES) revert TooMany();
        bytes32 hash = keccak256(certificate);
        if (certificates.length == 1 && keccak256(certificates[0]) == hash) revert WrongCertificate();
        certificates.push(certificate);
        emit CertificateAdded(organisation, hash, msg.sender);
    }

    /// Without any, links of the organisation's nodes need no certificate of it.
    function removeCertificate(uint32 organisation, bytes32 hash) external onlyFor(organisation) {
        bytes[] storage certificates = organisations[organisation].certificates;
        uint256 count = certificates.length;
        for (uint256 i = 0; i < count; i++) {
            if (keccak256(certificates[i]) != hash) continue;
            if (i != count - 1) certificates[i] = certificates[count - 1];
            certificates.pop();
            emit CertificateRemoved(organisation, hash, msg.sender);
            return;
        }
        revert WrongCertificate();
    }

    function forgetNodes(uint32 organisation, Organisation storage found) internal virtual;

    function activate(uint32 organisation, uint16 validators) private {
        active[organisation >> 8] |= 1 << (organisation & 255);
        activeOrganisations++;
        liveValidators += validators;
    }

    function deactivate(uint32 organisation, uint16 validators) private {
        if (liveValidators == validators) revert LastValidator();
        active[organisation >> 8] &= ~(1 << (organisation & 255));
        activeOrganisations--;
        liveValidators -= validators;
    }

    function putAdmin(uint32 organisation, Organisation storage found, address admin) private {
        if (admin == address(0)) revert ZeroAddress();
        // It would vote in its own name by what the members decide.
        if (admin == address(this) || organisationOfAdmin[admin] != 0) revert AlreadyAnAdmin(admin);
        address previous = found.admin;
        delete organisationOfAdmin[previous];
        delete found.pendingAdmin;
        organisationOfAdmin[admin] = organisation;
        found.admin = admin;
        emit AdminChanged(organisation, previous, admin, msg.sender);
    }

    function putLimits(uint32 organisation, Organisation storage found, Limits calldata limits) private {
        if (
            limits.validators > MAX_VALIDATORS_OF_ORGANISATION || limits.observers > MAX_OBSERVERS_OF_ORGANISATION
                || limits.accounts > MAX_ACCOUNTS_OF_ORGANISATION || limits.weight > MAX_WEIGHT_OF_ORGANISATION
        ) revert TooMany();
        found.limits = limits;
        emit LimitsChanged(organisation, limits);
    }

    function putFilter(uint32 organisation, Organisation storage found, address[] calldata filter) private {
        if (filter.length > MAX_FILTER) revert TooMany();
        found.filter = filter;
        emit FilterChanged(organisation, filter);
    }

    /// The last of the list takes the place of the one that goes.
    function forgetAccount(uint32 organisation, Organisation storage found, uint256 place) private {
        uint256 count = found.accounts.length;
        if (place != count) {
            address moved = found.accounts[count - 1];
            found.accounts[place - 1] = moved;
            places[organisation][moved] = (place << 8) | (places[organisation][moved] & ROLES_MASK);
        }
        found.accounts.pop();
    }
}
