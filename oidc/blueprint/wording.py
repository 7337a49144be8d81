"""What the words of the program are for people: why a sign-in failed, why a session ended, where something is known from.

Each is marked for translation; ``of`` gives the text in the language of the request.
"""

from __future__ import annotations

from dataclasses import dataclass

import flask_babel


def N_(text: str) -> str:
    """Marks a text that is translated when it is shown."""
    return text


@dataclass(frozen=True, slots=True)
class Words:
    """``heading`` and ``what`` say what happened; ``do`` says what the person can do, ``admin`` what an administrator can.

    ``other_account``: with the same account it would be the same again.
    """

    heading: str
    what: str
    do: str = ""
    admin: str = ""
    other_account: bool = False


STRANGERS = ("unknown_domain", "unknown_tenant", "no_directory", "tenant_suspended")
"""To a stranger these are one: nobody learns from them who is a customer."""

YES, NO = N_("yes"), N_("no")

_AGAIN = N_("Start again from the sign-in page.")
_ASK = N_("Ask your administrator, and give the reference below.")
_NOT_FOUND = Words(
    N_("We cannot sign you in with this"),
    N_("There is no sign-in for what you entered or for the link you followed."),
    N_("Check the spelling of your work e-mail address, or ask your administrator for your organisation's sign-in link."),
)
_STALE = Words(
    N_("This sign-in is no longer valid"),
    N_("It was completed already, took longer than ten minutes, or was begun in another browser. Nothing was changed."),
    _AGAIN,
)
_INVALID = Words(
    N_("Your organisation's answer could not be used"),
    N_("What came back from the sign-in service did not pass our checks, so you were not signed in."),
    N_("Try again. If it happens again, ask your administrator, and give the reference below."),
    N_("The audit trail has the exact reason under this reference."),
)
_UNAVAILABLE = Words(
    N_("Signing in does not work right now"),
    N_("Your organisation's sign-in service, or ours, did not answer in time. You did nothing wrong."),
    N_("Wait a moment, then try again."),
)
_OTHER_ORGANISATION = Words(
    N_("This account belongs to another organisation"),
    N_("You signed in with an account that is not one of the organisation whose sign-in you used."),
    N_("Sign in with the account of the organisation that you want to work for."),
    N_("If the directory is yours, it has to be added to your tenant first."),
    other_account=True,
)
_DISABLED = Words(
    N_("Your account is disabled"),
    N_("Your organisation has disabled or removed your account, so you cannot sign in."),
    N_("If that is a mistake, ask your administrator, and give the reference below."),
    N_("Enable the account in Microsoft Entra ID, and let provisioning run; the person can sign in again after that."),
    other_account=True,
)

_NOT_REGISTERED = Words(
    N_("Signing in does not work right now"),
    N_("This application's own registration at your organisation has expired or is not complete. You did nothing wrong."),
    N_("Ask your administrator, and give the reference below. Trying again will not help until that is mended."),
    N_("Make a new client secret or certificate in the app registration, and give it to the operator of this application."),
)

_WORDS = {
    **dict.fromkeys(STRANGERS, _NOT_FOUND),
    **dict.fromkeys(("state_missing", "state_unknown", "state_expired", "state_used", "other_browser"), _STALE),
    **dict.fromkeys(("wrong_issuer_parameter", "no_id_token", "invalid_token", "provider_refused", "request_refused"), _INVALID),
    "provider_unavailable": _UNAVAILABLE,
    **dict.fromkeys(("unknown_directory", "directory_of_another_tenant", "address_of_another_tenant"), _OTHER_ORGANISATION),
    "not_of_this_directory": _OTHER_ORGANISATION,
    **dict.fromkeys(("user_inactive", "disabled_in_directory"), _DISABLED),
    "access_denied": Words(
        N_("The sign-in was cancelled"),
        N_("You, or your organisation's sign-in service, stopped before it was complete. Nothing was changed."),
        _AGAIN,
    ),
    "user_removed": Words(
        N_("Your access was removed"),
        N_("Your organisation has taken you off the list of people who may use this application."),
        N_("If that is a mistake, ask your administrator, and give the reference below."),
        N_("Assign the person to the application in Microsoft Entra ID again, and let provisioning run."),
        other_account=True,
    ),
    "removed_from_directory": _DISABLED,
    "name_taken": Words(
        N_("There is an account with your name already"),
        N_("An account with your user name exists here, and it is not known to be yours. For your protection we do not guess."),
        _ASK,
        N_(
            "Map the attribute externalId to objectId in the provisioning of Microsoft Entra ID and restart it; "
            "or allow matching by user name within your verified domains."
        ),
        other_account=True,
    ),
    "guest_refused": Words(
        N_("Guests cannot sign in here"),
        N_("You are a guest in this organisation's directory, and it does not let guests use this application."),
        N_("Sign in with an account of the organisation itself, or ask your administrator."),
        other_account=True,
    ),
    "not_in_allowed_group": Words(
        N_("You are not in a group that may sign in"),
        N_("Your organisation lets only members of certain groups use this application, and you are in none of them."),
        N_("Ask to be taken into one of these groups, then sign in again."),
        N_("Add the person to one of these groups in Microsoft Entra ID."),
        other_account=True,
    ),
    "groups_unresolved": Words(
        N_("We could not read your groups"),
        N_(
            "What you may do here depends on your groups, and Microsoft did not tell us all of them. "
            "Rather than guess, we did not sign you in."
        ),
        N_("Wait a moment, then try again. If it happens again, ask your administrator, and give the reference below."),
        N_("Check that the app registration has the delegated permission User.Read, and that consent was given for it."),
    ),
    "not_assigned": Words(
        N_("You are not assigned to this application"),
        N_("Your organisation lets only people use this application who are assigned to it, and you are not."),
        _ASK,
        N_("Assign the person, or a group, under Users and groups of the enterprise application."),
        other_account=True,
    ),
    "consent_missing": Words(
        N_("Your organisation has not approved this application"),
        N_("An administrator must agree once that people may sign in here."),
        _ASK,
        N_("Grant admin consent in Microsoft Entra ID under Permissions of the enterprise application."),
    ),
    "interaction_required": Words(
        N_("Your organisation asks for one more step"),
        N_("A further check is needed, for example a second factor."),
        N_("Sign in again, and follow the instructions there."),
    ),
    "blocked_by_policy": Words(
        N_("Your organisation's rules do not allow this sign-in"),
        N_("A policy of your organisation blocked it, for example because of this device or this place."),
        N_("Try from a device or a network that your organisation approves, or ask your administrator."),
        N_("The sign-in log of Microsoft Entra ID names the policy of Conditional Access."),
    ),
    **dict.fromkeys(("our_credential", "registration_removed"), _NOT_REGISTERED),
    "too_many_requests": Words(
        N_("Too many attempts"),
        N_("There were very many sign-ins from your network within a short time."),
        N_("Wait a moment, then try again."),
    ),
    "not_accepted": Words(
        N_("That was not accepted"),
        N_("What your browser sent cannot be used here, or did not come from a page of this site. Nothing was changed."),
        _AGAIN,
    ),
    "server_error": Words(
        N_("Something went wrong on our side"),
        N_("The server failed at this request. Nothing was changed."),
        N_("Try again. If it happens again, ask for help, and give the reference below."),
    ),
}

REASONS = tuple(_WORDS)

_SOURCES = {
    "scim": N_("from your organisation's provisioning"),
    "signin": N_("from your sign-in with Microsoft"),
    "token": N_("from your sign-in with Microsoft"),
    "default": N_("everybody of your organisation has it"),
}

_ROLES = {
    "employee": N_("Employee"),
    "agent": N_("Agent"),
    "manager": N_("Manager"),
    "admin": N_("Administrator"),
    "auditor": N_("Auditor"),
}

_ATTRIBUTES = {
    "userName": N_("User name"),
    "displayName": N_("Display name"),
    "name": N_("Name"),
    "emails": N_("E-mail"),
    "phoneNumbers": N_("Telephone"),
    "externalId": N_("Id in your organisation's directory"),
    "title": N_("Job title"),
    "preferredLanguage": N_("Language"),
    "addresses": N_("Addresses"),
    "userType": N_("Kind of user"),
    "locale": N_("Locale"),
    "timezone": N_("Time zone"),
    "nickName": N_("Nickname"),
    "roles": N_("Roles in your organisation"),
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": N_("Employment"),
}

_OCCURRENCES = {
    "signed_in": N_("Signed in"),
    "refused": N_("Sign-in refused"),
    "session_ended": N_("Session ended"),
}

UNKNOWN_PROGRAM, UNKNOWN_SOURCE = N_("Unknown program"), N_("not known any more")

# The first that is found: most browsers also claim to be others.
_BROWSERS = (
    *(("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome/", "Chrome")),
    *(("Safari/", "Safari"), ("curl/", "curl"), ("python-requests", "Python")),
)
_SYSTEMS = (
    *(("Windows", "Windows"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Mac OS X", "macOS")),
    *(("CrOS", "ChromeOS"), ("Linux", "Linux")),
)

_ENDS = {
    "signed_out": N_("you signed out"),
    "signed_out_at_directory": N_("you signed out at Microsoft"),
    "ended_by_user": N_("you ended it"),
    "ended_by_operator": N_("an administrator ended it"),
    "expired": N_("its time was over"),
    "idle": N_("it was not used"),
    "unconfirmed": N_("your organisation could not be asked for too long"),
    "user_deactivated": N_("your account was deactivated"),
    "directory_removed": N_("the directory was removed"),
    "revoked": N_("your organisation revoked it"),
    "password_changed": N_("your password was changed"),
    "refresh_token_expired": N_("it was not used for too long"),
    **dict.fromkeys(("refresh_token_invalid", "client_loop", "registered_as_single_page_app"), N_("your organisation did not prolong it")),
    "sign_in_frequency": N_("your organisation asks for a new sign-in from time to time"),
}


def gettext(text: str) -> str:
    """The text in the language of the request."""
    return str(flask_babel.gettext(text))


def of(reason: str) -> Words:
    """Why somebody did not come in."""
    words = _WORDS.get(reason, _INVALID)
    heading, what, do, admin = (gettext(each) if each else "" for each in (words.heading, words.what, words.do, words.admin))
    return Words(heading, what, do, admin, words.other_account)


def source(name: str | None) -> str:
    """Where something is known from."""
    return gettext(_SOURCES[name]) if name in _SOURCES else gettext(UNKNOWN_SOURCE)


def role(name: str) -> str:
    return gettext(_ROLES[name]) if name in _ROLES else name


def attribute(name: str) -> str:
    return gettext(_ATTRIBUTES[name]) if name in _ATTRIBUTES else name


def occurrence(what: str) -> str:
    return gettext(_OCCURRENCES[what])


def program(user_agent: str) -> str:
    """Which browser on which system that is, as far as it says so; else what it says."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), None)
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    return " · ".join(each for each in (browser, system) if each) or user_agent or gettext(UNKNOWN_PROGRAM)


def reason(name: str | None) -> str:
    """Why a session ended or a sign-in was refused, in a few words; empty if there is nothing to say."""
    if not name:
        return ""
    if name in _ENDS:
        return gettext(_ENDS[name])
    return gettext(_WORDS[name].heading) if name in _WORDS else name
