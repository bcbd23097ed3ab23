"""What token endpoints mean: the OAuth error registry (RFC 6749 5.2 and 4.1.2.1, RFC 6750 3.1, RFC 8628 3.5, OpenID Connect Core
3.1.2.6, RFC 9470), Google's own codes, and Microsoft's AADSTS numbers (learn.microsoft.com/entra/identity-platform/reference-
error-codes).
"""

from collections.abc import Mapping
from typing import Final

from mailwatch.core.causes import Cause


def _numbers(cause: Cause, numbers: str) -> dict[int, Cause]:
    return dict.fromkeys(map(int, numbers.split()), cause)


#: AADSTS number to cause: the documented list, and numbers seen in logs.  Any other number is judged by its `error` and words.
AADSTS: Final[Mapping[int, Cause]] = {
    # the refresh token is dead: expired, revoked, redeemed, bound to what has changed
    **_numbers(
        Cause.OAUTH_GRANT_REVOKED,
        "40009 40015 50070 50071 50085 50089 50132 50133 50139 50173 54005 70008 70018 70019 70043 70044 70046 75016"
        " 90086 140001"
        " 501481 501491 700003 700005 700081 700082 700084",
    ),
    # a person must pass a second factor, or a device or policy of access stands in between
    **_numbers(
        Cause.MFA_REQUIRED,
        "50005 50072 50074 50076 50078 50079 50088 50097 50127 50129 50131 50155 50158 50187 50203 53000 53001 53002 53003 53004"
        " 53005 53008"
        " 53009 53010 53011 130007 130008 135011 500121 530003 530021 530032 530034 530035 700020",
    ),
    # the application, its secret, its consent, its scopes, its tenant
    **_numbers(
        Cause.OAUTH_MISCONFIGURED,
        "17003 20001 20012 20033 28002 28003 40008 50001 50002 50003 50006 50007 50008 50010 50011 50012 50013 50015"
        " 50017 50020 50027"
        " 50029 50032 50042 50043 50048 50049 50050 50059 50061 50068 50099 50107 50120 50124 50128 50134 50146 50147 50149"
        " 50161 50168 50169"
        " 50170 50177 50178 50180 50192 50194 51000 51001 51005 51006 52004 65001 65002 65004 65005 67003 70001 70002 70003"
        " 70004 70005 70007"
        " 70011 75001 75003 75005 75008 75011 76021 76026 80010 81004 81005 81006 81007 81009 81010 81011 81012 90002 90004"
        " 90005 90007 90008"
        " 90009 90010 90013 90014 90015 90016 90019 90020 90022 90023 90027 90038 90043 90051 90056 90081 90082 90085 90087"
        " 90094 90095 90099"
        " 90100 90101 90102 90107 90114 90117 90119 90120 90121 90123 90124 90125 90126 90130 100007 130004 130005 130006"
        " 135010 140000 165004"
        " 165900 220450 220501 221000 230109 240002 500011 500014 500021 500022 500113 500117 500133 500208 501241 501461"
        " 501621 650051 650052"
        " 650053 650054 650056 650057 700011 700016 700021 700022 700023 700024 700025 700027 700030 700054 700211 700212"
        " 700213 700229 750054"
        " 900144 900236 900382 900384 900432 900561 900971 901002 1000000 1000002 1000031 1000104 7000112 7000114 7000215"
        " 7000216 7000218"
        " 7000222 7000229 7500514 7500529 9001023 9002313 9002325 9002326 9002327 9002332",
    ),
    # the person may not use this application or resource
    **_numbers(Cause.ACCESS_DENIED, "50105 54000 80012 90084 90093 240001 500212 500213 501051 5000224 5000819"),
    **_numbers(Cause.ACCOUNT_DISABLED, "50053 50057 500571 120014"),
    **_numbers(Cause.MAILBOX_MISSING, "16003 50014 50034 51004 90072 120016 500341"),
    **_numbers(Cause.INVALID_CREDENTIALS, "50056 50064 50126 80007 120000"),
    **_numbers(Cause.PASSWORD_EXPIRED, "50055 50135 50142 50144"),
    **_numbers(Cause.WEB_LOGIN_REQUIRED, "16001 16002 50058 50086 50125 50136 50140 50143 50197 50199 160021"),
    # Microsoft's own trouble, or of the customer's directory behind it
    **_numbers(
        Cause.SERVER_UNAVAILABLE,
        "40010 50000 50033 50087 70012 80001 80002 80005 80013 80014 90006 90012 90024 90025 90033 90036 90090 90091 90092"
        " 120013 120021",
    ),
    **_numbers(Cause.RATE_LIMITED, "50166 50196 90055"),
}

#: Numbers that stand for any reason why a grant is not taken: the words beside them say more.
AADSTS_GENERAL: Final[Mapping[int, Cause]] = {
    **_numbers(Cause.OAUTH_GRANT_REVOKED, "70000"),
    **_numbers(Cause.WEB_LOGIN_REQUIRED, "16000"),
}

#: The names by which Microsoft's list calls its numbers: logs and pages show them alone.  Names that others use, too, are left out.
AADSTS_NAMES: Final[Mapping[str, int]] = {
    "selectuseraccount": 16000,
    "useraccountselectioninvalid": 16001,
    "appsessionselectioninvalid": 16002,
    "ssouseraccountnotfoundinresourcetenant": 16003,
    "oauth2idprefreshtokenredemptionusererror": 40009,
    "oauth2idpretryableservererror": 40010,
    "tokenissuanceerror": 50000,
    "notallowedtenant": 50002,
    "missingsigningkey": 50003,
    "devicepolicyerror": 50005,
    "audienceurivalidationfailed": 50010,
    "invalidreplyto": 50011,
    "invalidassertion": 50013,
    "guestuserinpendingstate": 50014,
    "userunauthorized": 50020,
    "invalidjwttoken": 50027,
    "retryableerror": 50033,
    "useraccountnotfound": 50034,
    "nosuchinstancefordiscovery": 50049,
    "idslocked": 50053,
    "invalidpasswordexpiredpassword": 50055,
    "userdisabled": 50057,
    "userinformationnotprovided": 50058,
    "missingtenantrealmandnouserinformationprovided": 50059,
    "credentialauthenticationerror": 50064,
    "userstrongauthenrollmentrequiredinterrupt": 50072,
    "userstrongauthclientauthnrequiredinterrupt": 50074,
    "userstrongauthclientauthnrequired": 50076,
    "userstrongauthexpired": 50078,
    "userstrongauthenrollmentrequired": 50079,
    "sasretryableerror": 50087,
    "deviceauthenticationrequired": 50097,
    "entitlementgrantsnotfound": 50105,
    "invalidrealmuri": 50107,
    "passwordresetregistrationrequiredinterrupt": 50125,
    "invalidusernameorpassword": 50126,
    "brokerappnotinstalled": 50127,
    "deviceisnotworkplacejoined": 50129,
    "conditionalaccessfailed": 50131,
    "ssoartifactinvalidorexpired": 50132,
    "ssoartifactrevoked": 50133,
    "passwordchangecompromisedpassword": 50135,
    "sessionmissingmsaoauth2refreshtoken": 50139,
    "kmsiinterrupt": 50140,
    "passwordchangeonpremises": 50142,
    "invalidpasswordexpiredonprempassword": 50144,
    "deviceauthenticationfailed": 50155,
    "externalsecuritychallenge": 50158,
    "externalclaimsproviderthrottled": 50166,
    "deviceinformationnotprovided": 50187,
    "loopdetected": 50196,
    "conflictingidentities": 50197,
    "cmsiinterrupt": 50199,
    "useraccountnotindirectory": 51004,
    "devicenotcompliant": 53000,
    "devicenotdomainjoined": 53001,
    "applicationusedisnotanapprovedapp": 53002,
    "blockedbyconditionalaccess": 53003,
    "proofupblockedduetorisk": 53004,
    "minoruserblockedlegalagegrouprule": 54000,
    "delegationdoesnotexist": 65001,
    "userdeclinedconsent": 65004,
    "misconfiguredapplication": 65005,
    "expiredorrevokedgrant": 70008,
    "msaservererror": 70012,
    "badverificationcode": 70018,
    "codeexpired": 70019,
    "onpremisestoreisnotavailable": 80001,
    "onpremisepasswordvalidatorrequesttimedout": 80002,
    "onpremisepasswordvalidatorunpredictablewebexception": 80005,
    "onpremisepasswordvalidatorerroroccurredonprem": 80007,
    "onpremisepasswordvalidationaccountlogoninvalidhours": 80012,
    "onpremisepasswordvalidationtimeskew": 80013,
    "onpremisepasswordvalidationauthenticationagenttimeout": 80014,
    "desktopssoauthtokeninvalid": 81010,
    "invalidtenantname": 90002,
    "externalserverretryableerror": 90006,
    "tokenforitselfrequiresgraphpermission": 90008,
    "requestbudgetexceedederror": 90024,
    "msodsserviceunavailable": 90033,
    "msodsserviceunretryablefailure": 90036,
    "nationalcloudauthcoderedirection": 90043,
    "tenantthrottlingerror": 90055,
    "passthroughusermfaerror": 90072,
    "orgidwsfederationguestnotallowed": 90084,
    "orgidwstrustdatokenexpired": 90086,
    "graphretryableerror": 90090,
    "graphserviceunreachable": 90091,
    "graphuserunauthorized": 90093,
    "adminconsentrequired": 90094,
    "passwordchangeincorrectcurrentpassword": 120000,
    "passwordchangeonpremuseraccountlockedoutordisabled": 120014,
    "blockedbyconditionalaccessonsecuritypolicy": 530032,
    "invalidgrantredeemagainstwrongtenant": 700005,
    "unauthorizedclientapplicationdisabled": 7000112,
    "invalidclientsecretexpiredkeysprovided": 7000222,
}

#: `error` of a token endpoint, or `status` of a SASL challenge.
ERRORS: Final[Mapping[str, Cause]] = {
    "invalid_grant": Cause.OAUTH_GRANT_REVOKED,
    "expired_token": Cause.OAUTH_GRANT_REVOKED,
    "token not found": Cause.OAUTH_GRANT_REVOKED,
    "bad_refresh_token": Cause.OAUTH_GRANT_REVOKED,
    "invalid_refresh_token": Cause.OAUTH_GRANT_REVOKED,
    "token_revoked": Cause.OAUTH_GRANT_REVOKED,
    "invalid_code": Cause.OAUTH_GRANT_REVOKED,
    "invalid_token": Cause.OAUTH_TOKEN_EXPIRED,
    "invalidauthenticationtoken": Cause.OAUTH_TOKEN_EXPIRED,
    "unauthenticated": Cause.OAUTH_TOKEN_EXPIRED,
    "invalid_oauthtoken": Cause.OAUTH_TOKEN_EXPIRED,
    "invalid_client": Cause.OAUTH_MISCONFIGURED,
    "invalid_client_secret": Cause.OAUTH_MISCONFIGURED,
    "unauthorized_client": Cause.OAUTH_MISCONFIGURED,
    "unsupported_grant_type": Cause.OAUTH_MISCONFIGURED,
    "unsupported_response_type": Cause.OAUTH_MISCONFIGURED,
    "unsupported_token_type": Cause.OAUTH_MISCONFIGURED,
    "invalid_scope": Cause.OAUTH_MISCONFIGURED,
    "invalid_request": Cause.OAUTH_MISCONFIGURED,
    "invalid_resource": Cause.OAUTH_MISCONFIGURED,
    "invalid_target": Cause.OAUTH_MISCONFIGURED,
    "invalid_redirect_uri": Cause.OAUTH_MISCONFIGURED,
    "redirect_uri_mismatch": Cause.OAUTH_MISCONFIGURED,
    "invalid_client_metadata": Cause.OAUTH_MISCONFIGURED,
    "deleted_client": Cause.OAUTH_MISCONFIGURED,
    "disabled_client": Cause.OAUTH_MISCONFIGURED,
    "restricted_client": Cause.OAUTH_MISCONFIGURED,
    "org_internal": Cause.OAUTH_MISCONFIGURED,
    "admin_policy_enforced": Cause.OAUTH_MISCONFIGURED,
    "app_not_configured_for_user": Cause.OAUTH_MISCONFIGURED,
    "consent_required": Cause.OAUTH_MISCONFIGURED,
    "invalid_tenant": Cause.OAUTH_MISCONFIGURED,
    "realm does not exist": Cause.OAUTH_MISCONFIGURED,
    "unknown_client": Cause.OAUTH_MISCONFIGURED,
    "not_allowed": Cause.OAUTH_MISCONFIGURED,
    "invalid_dpop_proof": Cause.OAUTH_MISCONFIGURED,
    "disallowed_useragent": Cause.OAUTH_MISCONFIGURED,
    "general_error": Cause.OAUTH_MISCONFIGURED,
    "insufficient_scope": Cause.ACCESS_DENIED,
    "access_denied": Cause.ACCESS_DENIED,
    "access denied": Cause.ACCESS_DENIED,
    "interaction_required": Cause.MFA_REQUIRED,
    "insufficient_user_authentication": Cause.MFA_REQUIRED,
    "mfa_required": Cause.MFA_REQUIRED,
    "mfa_challenge": Cause.MFA_REQUIRED,
    "login_required": Cause.WEB_LOGIN_REQUIRED,
    "account_selection_required": Cause.WEB_LOGIN_REQUIRED,
    "server_error": Cause.SERVER_UNAVAILABLE,
    "temporarily_unavailable": Cause.SERVER_UNAVAILABLE,
    "internal_failure": Cause.SERVER_UNAVAILABLE,
    "internal_error": Cause.SERVER_UNAVAILABLE,
    "backend_error": Cause.SERVER_UNAVAILABLE,
    "backenderror": Cause.SERVER_UNAVAILABLE,
    "service_unavailable": Cause.SERVER_UNAVAILABLE,
    "unavailable": Cause.SERVER_UNAVAILABLE,
    "internalservererror": Cause.SERVER_UNAVAILABLE,
    "rate_limit_exceeded": Cause.RATE_LIMITED,
    "ratelimitexceeded": Cause.RATE_LIMITED,
    "userratelimitexceeded": Cause.RATE_LIMITED,
    "quota_exceeded": Cause.RATE_LIMITED,
    "too_many_requests": Cause.RATE_LIMITED,
    "toomanyrequests": Cause.RATE_LIMITED,
    "slow_down": Cause.RATE_LIMITED,
    "resource_exhausted": Cause.RATE_LIMITED,
    "account_disabled": Cause.ACCOUNT_DISABLED,
    "user_disabled": Cause.ACCOUNT_DISABLED,
    "user_password_expired": Cause.PASSWORD_EXPIRED,
    "password_expired": Cause.PASSWORD_EXPIRED,
    "not_found": Cause.MAILBOX_MISSING,
}

#: Words in `error_description` that say more than the error itself: (rule name, cause, phrases).
DESCRIPTIONS: Final[tuple[tuple[str, Cause, str], ...]] = (
    (
        "session_over",
        Cause.OAUTH_GRANT_REVOKED,
        "recent password change|session is invalid due to expiration|grant is expired|session not active|session is not active",
    ),
    ("throttled", Cause.RATE_LIMITED, "too many requests|rate limit|throttled"),
    (
        "account_deleted",
        Cause.ACCOUNT_DISABLED,
        (
            "account has been deleted|account deleted|account disabled|user disabled|account restricted"
            "|account is disabled|user account is locked|account has been disabled|account not fully set up|account is not fully"
            " set up|user is disabled"
            "|user has been disabled|account suspended|account is suspended|temporarily disabled"
        ),
    ),
    (
        "bad_user_password",
        Cause.INVALID_CREDENTIALS,
        (
            "invalid user credentials|invalid username or password|bad credentials|user credentials"
            "|invalid credentials|incorrect username or password|wrong email or password|bad username or password"
            "|wrong username or password"
            "|wrong password|invalid password|incorrect password|invalid login|password is incorrect|credentials are incorrect"
        ),
    ),
    (
        "bad_assertion",
        Cause.OAUTH_MISCONFIGURED,
        (
            "invalid jwt|no valid verifier|jwt signature|invalid signature|client not authorized|not authorized client"
            "|unauthorized client|incorrect audience|service account"
        ),
    ),
    ("bad_audience", Cause.OAUTH_MISCONFIGURED, "token client and authorized client don't match|issued to another client id"),
    (
        "bad_subject",
        Cause.OAUTH_MISCONFIGURED,
        (
            "not a valid email|invalid email|impersonation|impersonated credentials|invalid impersonation|delegation denied"
            "|invalid principal|invalid subject"
        ),
    ),
    ("sign_on_policy", Cause.MFA_REQUIRED, "denied by sign on policy|sign on policy|authentication policy|access policy"),
    ("session_control", Cause.MFA_REQUIRED, "reauth related error|invalid rapt|multi factor|multifactor|mfa"),
    ("wants_interaction", Cause.MFA_REQUIRED, "invalid_rapt|rapt_required"),
    ("password_expired", Cause.PASSWORD_EXPIRED, "password is expired|password has expired|password expired"),
)
