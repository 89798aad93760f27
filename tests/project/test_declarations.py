"""The endpoints are those of the API's document, each with its role, and those that were added on purpose."""

import re

from flexiapi.server.routes import ENDPOINTS, ENDPOINTS_WITHOUT_PANEL
from flexiapi.web.openapi import document_of

# The document, line by line. Where it says DELETE /accounts/{id}/contacts/{type_id}, it means /types/.
OF_THE_DOCUMENT = """
GET /api/ping Public
POST /api/account_creation_request_tokens Public
POST /api/account_creation_tokens/send-by-push Public
POST /api/account_creation_tokens/using-account-creation-request-token Public
POST /api/account_creation_tokens Admin
POST /api/accounts/auth_token Public
GET /api/accounts/auth_token/{auth_token}/attach User
POST /api/accounts/public Public
POST /api/accounts/with-account-creation-token Public
GET /api/accounts/{sip}/info Public
GET /api/accounts/{phone}/info-by-phone Public
POST /api/accounts/recover-by-phone Public
GET /api/accounts/{sip}/recover/{recover_key} Public
POST /api/accounts/{sip}/activate/email Public
POST /api/accounts/{sip}/activate/phone Public
GET /api/accounts/me/api_key/{auth_token} Public
GET /api/accounts/me/api_key User
GET /api/accounts/me User
GET /api/accounts/me/provision User
DELETE /api/accounts/me User
POST /api/accounts/me/email/request User
POST /api/accounts/me/password User
POST /api/accounts Admin
PUT /api/accounts/{id} Admin
GET /api/accounts Admin
GET /api/accounts/{id} Admin
POST /api/accounts/{id}/recover-by-email Admin
GET /api/accounts/{sip}/search Admin
GET /api/accounts/{email}/search-by-email Admin
DELETE /api/accounts/{id} Admin
GET /api/accounts/{id}/activate Admin
GET /api/accounts/{id}/deactivate Admin
GET /api/accounts/{id}/provision Admin
POST /api/accounts/me/phone/request User
POST /api/accounts/me/phone User
GET /api/accounts/me/devices User
DELETE /api/accounts/me/devices/{uuid} User
GET /api/accounts/me/contacts User
GET /api/accounts/me/contacts/{sip} User
GET /api/accounts/{id}/contacts Admin
POST /api/accounts/{id}/contacts/{contact_id} Admin
DELETE /api/accounts/{id}/contacts/{contact_id} Admin
GET /api/accounts/{id}/actions Admin
GET /api/accounts/{id}/actions/{action_id} Admin
POST /api/accounts/{id}/actions Admin
PUT /api/accounts/{id}/actions/{action_id} Admin
DELETE /api/accounts/{id}/actions/{action_id} Admin
GET /api/account_types Admin
GET /api/account_types/{id} Admin
POST /api/account_types Admin
PUT /api/account_types/{id} Admin
DELETE /api/account_types/{id} Admin
POST /api/accounts/{id}/types/{type_id} Admin
DELETE /api/accounts/{id}/types/{type_id} Admin
POST /api/messages Admin
GET /api/statistics/day Admin
GET /api/statistics/week Admin
GET /api/statistics/month Admin
GET /provisioning Public
GET /provisioning/{provisioning_token} Public
GET /provisioning/qrcode/{provisioning_token} Public
GET /provisioning/me User
GET /contacts/vcard User
GET /contacts/vcard/{sip} User
"""

ADDED = {
    "GET /api Public": "the documentation",
    "GET /api/openapi.json Public": "the documentation, for programs",
    "GET /creation_token/check/{token} Public": "where validation_url leads",
    "POST /creation_token/validate Public": "what the page there sends",
    "GET /setup/{provisioning_token} Public": "where links in mails lead: a page that uses nothing up",
    "GET /provisioning/auth_token/{auth_token} Public": "the original has it, and clients use it",
    "GET /metrics Public": "figures for Prometheus",
    "GET /health/live Public": "tells a supervisor that the process answers",
    "GET /health/ready Public": "tells a front server whether to send requests here, and an operator why not",
    "GET /callbacks/{label} Public": "the same, for providers that call by GET",
    "POST /callbacks/{label} Public": "delivery reports of providers, verified by the backend",
    "GET /sip/auth Public": "what Flexisip's ExternalAuthentication asks",
    "POST /api/accounts/me/email User": "confirms the change of address, which the original only did in its panel",
    "POST /api/accounts/me/resend User": "a code can be sent again",
    "POST /api/accounts/{id}/resend Admin": "the same for an administrator",
    "GET /api/accounts/me/language User": "the language of messages, which the views of accounts do not have",
    "PUT /api/accounts/me/language User": "users choose theirs",
    "GET /api/accounts/{id}/language Admin": "the same for an administrator, who sets it with PATCH",
    "GET /api/accounts/{id}/contacts/{contact_id} Admin": "the original has it",
    "PATCH /api/accounts/{id} Admin": "changes only what it names, where PUT resets what it does not",
    "GET /api/contacts_lists Admin": "contacts lists, as in the later original",
    "POST /api/contacts_lists Admin": "contacts lists",
    "GET /api/contacts_lists/{id} Admin": "contacts lists",
    "PUT /api/contacts_lists/{id} Admin": "contacts lists",
    "DELETE /api/contacts_lists/{id} Admin": "contacts lists",
    "POST /api/contacts_lists/{id}/contacts/{contact_id} Admin": "contacts lists",
    "DELETE /api/contacts_lists/{id}/contacts/{contact_id} Admin": "contacts lists",
    "POST /api/accounts/{id}/contacts_lists/{contacts_list_id} Admin": "contacts lists",
    "DELETE /api/accounts/{id}/contacts_lists/{contacts_list_id} Admin": "contacts lists",
    "GET /api/invitations Admin": "creation tokens with a name, a number of uses, types and lists",
    "POST /api/invitations Admin": "the same",
    "DELETE /api/invitations/{invitation_id} Admin": "the same",
    "GET /api/api_keys Admin": "keys with a name and scopes, for servers and programs",
    "POST /api/api_keys Admin": "the same",
    "DELETE /api/api_keys/{key_id} Admin": "the same",
    "GET /api/statistic/day Admin": "the original's name for it",
    "GET /api/statistic/week Admin": "the original's name for it",
    "GET /api/statistic/month Admin": "the original's name for it",
    "POST /api/accounts/{id}/block Admin": "the later original has it",
    "POST /api/accounts/{id}/unblock Admin": "the later original has it",
    "POST /api/accounts/{id}/send_provisioning_email Admin": "the later original has it",
    "POST /api/accounts/{id}/send_reset_password_email Admin": "the later original has it",
    "GET /api/accounts/{id}/devices Admin": "the later original has it",
    "DELETE /api/accounts/{id}/devices/{uuid} Admin": "the later original has it",
    "POST /api/account_recovery_tokens/send-by-push Public": "the later original has it",
    "POST /api/account_creation_tokens/consume User": "the later original has it",
    "GET /api/accounts/{id}/dictionary Admin": "the later original has it",
    "DELETE /api/accounts/{id}/dictionary Admin": "the later original has it",
    "GET /api/accounts/{id}/dictionary/{key} Admin": "the later original has it",
    "POST /api/accounts/{id}/dictionary/{key} Admin": "the later original has it",
    "DELETE /api/accounts/{id}/dictionary/{key} Admin": "the later original has it",
    "GET /api/accounts/{id}/external Admin": "the later original has it",
    "POST /api/accounts/{id}/external Admin": "the later original has it",
    "DELETE /api/accounts/{id}/external Admin": "the later original has it",
    "GET /api/accounts/me/services/turn User": "the later original has it",
    "GET /api/phone_countries Public": "the later original has it",
    "POST /api/phone_countries/{code}/activate Admin": "the later original has it",
    "POST /api/phone_countries/{code}/deactivate Admin": "the later original has it",
    "GET /api/accounts/me/vcards-storage User": "the later original has it",
    "POST /api/accounts/me/vcards-storage User": "the later original has it",
    "GET /api/accounts/me/vcards-storage/{uuid} User": "the later original has it",
    "PUT /api/accounts/me/vcards-storage/{uuid} User": "the later original has it",
    "PATCH /api/accounts/me/vcards-storage/{uuid} User": "the later original has it",
    "DELETE /api/accounts/me/vcards-storage/{uuid} User": "the later original has it",
    "GET /api/accounts/{id}/vcards-storage Admin": "the later original has it",
    "POST /api/accounts/{id}/vcards-storage Admin": "the later original has it",
    "GET /api/accounts/{id}/vcards-storage/{uuid} Admin": "the later original has it",
    "PUT /api/accounts/{id}/vcards-storage/{uuid} Admin": "the later original has it",
    "PATCH /api/accounts/{id}/vcards-storage/{uuid} Admin": "the later original has it",
    "DELETE /api/accounts/{id}/vcards-storage/{uuid} Admin": "the later original has it",
    "GET /vcards-storage User": "the later original has it",
    "GET /vcards-storage/{uuid} User": "the later original has it",
    "GET /api/accounts/{id}/provisioning/preview Admin": "shows what a phone would get, and uses nothing up",
    "GET /api/accounts/{id}/provisioning/fetches Admin": "tells when, by what and with what outcome links were fetched",
    "DELETE /api/accounts/me/api_key User": "ends a key that may be known to others",
    "POST /api/accounts/{id}/activate Admin": "the same as GET, as a request with effects should be",
    "GET /api/accounts/me/call_forwardings User": "call forwarding, as in the later original",
    "POST /api/accounts/me/call_forwardings User": "call forwarding",
    "GET /api/accounts/me/call_forwardings/{forwarding_id} User": "call forwarding",
    "PUT /api/accounts/me/call_forwardings/{forwarding_id} User": "call forwarding",
    "DELETE /api/accounts/me/call_forwardings/{forwarding_id} User": "call forwarding",
    "GET /api/accounts/{id}/call_forwardings Admin": "call forwarding",
    "POST /api/accounts/{id}/call_forwardings Admin": "call forwarding",
    "GET /api/accounts/{id}/call_forwardings/{forwarding_id} Admin": "call forwarding",
    "PUT /api/accounts/{id}/call_forwardings/{forwarding_id} Admin": "call forwarding",
    "DELETE /api/accounts/{id}/call_forwardings/{forwarding_id} Admin": "call forwarding",
    "GET /api/resolve/{sip} Admin": "what Flexisip asks before it routes a call, as in the later original",
    "POST /api/push_notification Admin": "pushes that Flexisip asks for, as in the later original",
    "GET /api/accounts/me/statistics/calls User": "the call log, as in the later original",
    "GET /api/accounts/{id}/statistics/calls Admin": "the call log, as in the later original",
    "GET /api/statistics/calls Admin": "numbers of the event log",
    "GET /api/statistics/calls.csv Admin": "the same for spreadsheets",
    "GET /api/statistics/messages Admin": "numbers of the event log",
    "GET /api/statistics/messages.csv Admin": "the same for spreadsheets",
    "GET /api/spaces Admin": "the domains that Flexisip serves, as in the later original",
    "GET /api/spaces/{domain} Admin": "the same for one of them",
    "POST /api/accounts/{id}/deactivate Admin": "the same as GET, as a request with effects should be",
    "POST /api/accounts/me/voicemails User": "voicemail, as in the later original",
    "GET /api/accounts/me/voicemails User": "voicemail",
    "GET /api/accounts/me/voicemails/{voicemail_id} User": "voicemail",
    "DELETE /api/accounts/me/voicemails/{voicemail_id} User": "voicemail",
    "POST /api/accounts/{id}/voicemails Admin": "what Flexisip's voicemail server asks",
    "GET /api/accounts/{id}/voicemails Admin": "voicemail",
    "GET /api/accounts/{id}/voicemails/{voicemail_id} Admin": "voicemail",
    "DELETE /api/accounts/{id}/voicemails/{voicemail_id} Admin": "voicemail",
    "GET /f/{secret}/{name} Public": "the sound of a voicemail, to be played",
    "GET /f/{secret}/{name}/download Public": "the same, to be saved",
    "POST /api/files/{secret} Public": "the sound of a voicemail, from Flexisip",
}

_REPORTS = (
    *("POST messages", "PATCH messages/{report_id}/to/{party}/devices/{device_key}"),
    *("POST calls", "PATCH calls/{report_id}", "PATCH calls/{report_id}/devices/{device_key}"),
    *("POST conferences", "PATCH conferences/{report_id}"),
    "POST conferences/{report_id}/participants/{party}/events",
    "POST conferences/{report_id}/participants/{party}/devices/{device_key}/events",
)
for root, reason in {
    "/api/statistics/": "what Flexisip reports, as in the later original",
    "/api/stats/": "the same, at the default path of Flexisip",
}.items():
    ADDED |= {f"{line.replace(' ', f' {root}')} Admin": reason for line in _REPORTS}


def lines(text):
    return {line for line in text.splitlines() if line}


def declared():
    return {
        f"{verb.upper()} {handler.path} {operation.access}"
        for handler in ENDPOINTS_WITHOUT_PANEL
        for verb, operation in handler.operations.items()
    }


def test_the_document_has_64_endpoints():
    assert len(lines(OF_THE_DOCUMENT)) == 64


def test_every_endpoint_of_the_document_exists_with_its_role():
    assert lines(OF_THE_DOCUMENT) - declared() == set()


def test_every_other_endpoint_was_added_on_purpose():
    assert declared() - lines(OF_THE_DOCUMENT) == set(ADDED)


def test_the_names_of_path_parameters_and_operations_are_unique():
    operations = [operation for verbs in document_of(ENDPOINTS, "")["paths"].values() for operation in verbs.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    for handler in ENDPOINTS:
        named = re.findall(r"{(\w+)}", handler.path)
        assert set(named) == set(handler.path_parameters())
        for operation in handler.operations.values():
            assert set(operation.path) <= set(named)


def test_reading_never_changes_anything_unless_it_is_declared():
    """GETs with effects, which HEAD, prefetch and other sites must not cause, are these and no others."""
    with_effects = {
        handler.path for handler in ENDPOINTS for verb, of in handler.operations.items() if verb == "get" and of.effects
    }
    assert with_effects >= {
        "/api/accounts/me/api_key",
        "/api/accounts/me/api_key/{auth_token}",
        "/api/accounts/me/provision",
        "/api/accounts/auth_token/{auth_token}/attach",
        "/api/accounts/{id}/provision",
        "/provisioning/{provisioning_token}",
        "/provisioning/auth_token/{auth_token}",
    }
