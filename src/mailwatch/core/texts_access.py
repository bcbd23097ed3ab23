"""What people read when a login is refused: sentences and steps, by cause, with the providers' own steps and pages."""

from typing import Final

from mailwatch.core.causes import Cause
from mailwatch.core.wording import Wording

_RECONNECT: Final = "Then press Reconnect, or run `mailwatch mailbox reconnect ADDRESS`."
_CONSENT: Final = "Connect the mailbox again: press Reconnect and sign in, or run `mailwatch oauth login ADDRESS`."
_NEW_SECRET: Final = "Store the new password: press Reconnect, or run `mailwatch mailbox set-secret ADDRESS`."

ACCESS: Final[dict[Cause, Wording]] = {
    Cause.INVALID_CREDENTIALS: Wording(
        "The server refuses the user name or the password. mailwatch stopped logging in so that the account is not locked. The"
        " mailbox owner must give the right password.",
        "The password we have for this mailbox is no longer accepted. To protect your account we stopped trying. Please"
        " reconnect the mailbox with the current password.",
        (
            "Sign in once by hand at the provider's site, to see that the password is right and nothing else is asked for.",
            "Check the user name: some servers want the whole address, others only the part before the @.",
            _NEW_SECRET,
        ),
        {
            "google": (
                (
                    "Google takes no account passwords: create an app password at https://myaccount.google.com/apppasswords, or"
                    " connect by OAuth."
                ),
                _NEW_SECRET,
            ),
            "microsoft": (
                "Microsoft 365 takes no passwords for IMAP: connect by OAuth.",
                "For SMTP see https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission.",
                _CONSENT,
            ),
            "yahoo": ("Create an app password: https://help.yahoo.com/kb/SLN15241.html.", _NEW_SECRET),
            "icloud": ("Create an app-specific password at https://account.apple.com.", _NEW_SECRET),
            "qq": ("Create an authorization code in QQ Mail, Settings, Account, and use it as the password.", _NEW_SECRET),
        },
    ),
    Cause.APP_PASSWORD_REQUIRED: Wording(
        "The provider wants a password made for this application, not the account's own. mailwatch stopped logging in. The"
        " mailbox owner must create one.",
        "Your provider asks for a special password for apps instead of your normal one. Please create it and reconnect the"
        " mailbox; everything else stays as it is.",
        ("Sign in at the provider's site and create an app password.", _NEW_SECRET),
        {
            "google": (
                "Turn on 2-Step Verification at https://myaccount.google.com/signinoptions/two-step-verification.",
                (
                    "Create an app password at https://myaccount.google.com/apppasswords"
                    " (https://support.google.com/accounts/answer/185833)."
                ),
                _NEW_SECRET,
            ),
            "yahoo": ("Create one under Account security, App passwords: https://help.yahoo.com/kb/SLN15241.html.", _NEW_SECRET),
            "icloud": (
                "Create one at https://account.apple.com under Sign-In and Security (https://support.apple.com/102654).",
                _NEW_SECRET,
            ),
            "zoho": ("Create one at https://accounts.zoho.com under Security, App passwords.", _NEW_SECRET),
            "yandex": ("Create one at https://id.yandex.com/security/app-passwords.", _NEW_SECRET),
            "qq": ("Turn on IMAP/SMTP in QQ Mail, Settings, Account, and create an authorization code.", _NEW_SECRET),
            "netease": ("Turn on IMAP/SMTP in the web mail's settings and create an authorization code.", _NEW_SECRET),
        },
    ),
    Cause.BASIC_AUTH_DISABLED: Wording(
        "The provider or its tenant no longer takes passwords from applications. mailwatch stopped logging in. Connect the"
        " mailbox by OAuth, or have the tenant's administrator allow passwords.",
        "Your organisation no longer allows apps to sign in with a password. Please reconnect the mailbox with the “Sign in"
        " with …” button; your administrator may have to approve it once.",
        ("Connect the mailbox by OAuth instead of a password.", _CONSENT),
        {
            "microsoft": (
                (
                    "Connect by OAuth: Exchange Online retired passwords for IMAP"
                    " (https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/deprecation-of-basic-authentication-exchange-online)."
                ),
                (
                    "If security defaults block SMTP AUTH, an administrator decides at https://entra.microsoft.com, Properties,"
                    " Security defaults."
                ),
                _CONSENT,
            ),
            "google": ("Connect by OAuth, or create an app password: https://support.google.com/a/answer/14114704.", _CONSENT),
        },
    ),
    Cause.WEB_LOGIN_REQUIRED: Wording(
        "The provider wants the owner to sign in or confirm something in a browser. mailwatch stopped logging in. The mailbox"
        " owner must do so once.",
        "Your provider would like you to sign in once on its website to confirm that it is really you. Please do so; then"
        " reconnect the mailbox.",
        ("Sign in at the provider's site in a browser and answer what it asks.", _RECONNECT),
        {
            "google": (
                "Sign in at https://mail.google.com and answer the security question.",
                _RECONNECT,
            ),
            "microsoft": (
                "Sign in at https://outlook.office.com or https://account.live.com/activity and confirm the activity.",
                _RECONNECT,
            ),
            "yahoo": ("Sign in at https://login.yahoo.com and verify the account.", _RECONNECT),
            "yandex": ("Sign in at https://mail.yandex.com and accept the terms.", _RECONNECT),
        },
    ),
    Cause.PASSWORD_EXPIRED: Wording(
        "The password has expired or must be changed. mailwatch stopped logging in. The mailbox owner must set a new one.",
        "The password of this mailbox has run out. Please set a new one at your provider and reconnect the mailbox with it.",
        ("Set a new password at the provider's site.", _NEW_SECRET),
        {"microsoft": ("Set a new password at https://account.activedirectory.windowsazure.com/ChangePassword.aspx.", _CONSENT)},
    ),
    Cause.MECHANISM_UNSUPPORTED: Wording(
        "The server offers no login method that we have a secret for. mailwatch stopped logging in. Change port, TLS mode or"
        " the kind of authentication.",
        "The way we sign in does not suit your mail server. Our team changes it; you do not need to do anything.",
        (
            "Run `mailwatch check ADDRESS` and compare the methods the server offers with the mailbox's kind of authentication.",
            "Use a submission port (465 or 587): many servers offer no login on port 25 or without TLS.",
            "If it offers only XOAUTH2 or OAUTHBEARER, connect by OAuth.",
        ),
    ),
    Cause.OAUTH_TOKEN_EXPIRED: Wording(
        "The access token has expired, as it does every hour or so. mailwatch renews it and logs in again at once. You need to"
        " do nothing.",
        "Everything is fine: a short-lived sign-in permit ran out, and a new one is being fetched automatically.",
        ("Do nothing; if renewed tokens are refused too, check that the scopes include mail access.",),
    ),
    Cause.OAUTH_GRANT_REVOKED: Wording(
        "The consent has ended: the refresh token was revoked or has expired. mailwatch stopped asking for tokens. The mailbox"
        " owner must give consent again.",
        "The permission you gave us for this mailbox has ended, for example after a password change. Please press Reconnect and"
        " sign in once; your campaigns then go on where they stopped.",
        (
            (
                "Ask the mailbox owner to sign in again; a changed password or an administrator's sign-out of all sessions ends"
                " every consent."
            ),
            _CONSENT,
        ),
        {
            "google": (
                (
                    "If consents die after 7 days, publish the app: the OAuth consent screen is still in status Testing"
                    " (https://support.google.com/cloud/answer/10311615)."
                ),
                _CONSENT,
            ),
            "microsoft": (
                "If consents die after a fixed time, look at the tenant's sign-in frequency policy (Conditional Access).",
                _CONSENT,
            ),
        },
    ),
    Cause.OAUTH_MISCONFIGURED: Wording(
        "The OAuth application is refused: client, secret, consent, scope or tenant is wrong. mailwatch stopped asking for"
        " tokens; usually every mailbox of the application fails. Correct the application.",
        "The sign-in service needs a correction on our side. Your mailbox is fine, and our team is already on it.",
        (
            "Read the code in the evidence: it names secret, scope, redirect or tenant.",
            "Correct `[oauth.APP]` and run `mailwatch config check`; all its mailboxes are tried again.",
        ),
        {
            "microsoft": (
                (
                    "An expired secret (AADSTS7000222) is renewed at https://entra.microsoft.com, App registrations,"
                    " Certificates & secrets."
                ),
                "A missing consent (AADSTS65001) is given by an administrator under Enterprise applications, Permissions.",
                "Look any AADSTS number up at https://login.microsoftonline.com/error.",
            ),
            "google": (
                "Check the client at https://console.cloud.google.com/apis/credentials.",
                "A Workspace administrator must trust the app: https://support.google.com/a/answer/7281227.",
            ),
        },
    ),
    Cause.MFA_REQUIRED: Wording(
        "The account's policy wants a second factor or a known device, which no automatic login can give. mailwatch stopped"
        " logging in. The owner must sign in again, or the administrator must exempt the application.",
        "Your organisation asks for an extra confirmation when signing in. Please press Reconnect and confirm it once, or ask"
        " your administrator.",
        (
            "Sign in interactively once, passing the second factor.",
            _CONSENT,
            "If a policy still blocks it, ask the administrator for an exception.",
        ),
        {
            "microsoft": (
                "Find the blocking policy at https://entra.microsoft.com, Sign-in logs, Conditional Access.",
                "Exempt the application, or allow it for compliant users, then connect again.",
                _CONSENT,
            ),
            "google": ("Create an app password (https://myaccount.google.com/apppasswords) or connect by OAuth.", _CONSENT),
        },
    ),
}
