"""The words servers use, mapped to what they mean: the English half of the lexicon, and the names of the meanings.

A *meaning* is one idea (PASSWORD, EXPIRED, NOT …); `meanings` decides causes from combinations of them, so that a wording never
seen before is still understood when its words are known.  A word ending in `*` stands for everything that begins with it; words
joined by `_` must follow one another.  Everything is compared in lower case and without accents.
"""

from collections.abc import Mapping
from typing import Final

ENGLISH: Final[Mapping[str, str]] = {
    # who and what
    "PASSWORD": "password passwords passwd pass passphrase passcode pwd secret pin pass-word password_is userpassword pass-phrase",
    "USER": "user users username usernames userid userpart mailuser login_name user_name subscriber member employee localpart"
    " unknownuser nosuchuser badusername mail_user recipient_name accountname login_id loginid user-name user_id log-in_name"
    " userstatus user_status",
    "ACCOUNT": "apple_id account accounts acct accountdisabled tenant principal identity subscription customer organization"
    " organisation org customer's login_account mail_account email_account user_account your_service",
    "MAILBOX": "mailbox mailboxes inbox maildir mailnickname mailstore maildrop maildirs",
    "FOLDER": "folder folders namespace hierarchy archive",
    "CREDENTIAL": "credential credentials creds userpass badcredentials",
    "LOGIN": "login logins logon logons logged log_in log_on sign_in signin signins sign_ins logging_in signed_in log-in sign-in"
    " log-on logging_on login-attempt log_you_in sign_you_in log-ins logon_attempt logged-in re-login relogin signing_in"
    " signing-in logging-in",
    "AUTH": "auth authentication authentications authenticate authenticated authenticating authenticator authorization"
    " authorisation authorize sasl authn authcid smtpauth authenticationfailed re-authenticate reauthenticate authenticates"
    " smtp-auth auth_data authenticity auth'd authenticated_user",
    "UNAUTHENTICATED": "unauthenticated anonymous",
    "TOKEN": "token tokens bearer jwt accesstoken access_token",
    "REFRESHTOKEN": "refresh_token refreshtoken grant grants authorization_code",
    "SECRET_OF_APP": "client_secret client_id clientid client_credentials client_assertion",
    "CLIENTAPP": "client application app",
    "CERT": "certificate certificates cert certs x509 pkix commonname common_name subject_name",
    "TLS": "tls ssl starttls encryption encrypted encrypt unencrypted cleartext plaintext clear_text plain_text tlsv1 sslv3 stls"
    " privacy layer secure insecure non-secure unsecure unsecured secured transport_layer_security secure_sockets ssl-encrypted"
    " tls-encrypted encrypted_connection secure_connection secured_connection encrypted_channel securely stunnel smtps_only"
    " ssl_enabled",
    "HANDSHAKE": "handshake negotiation negotiate cipher ciphers negotiating gnutls openssl schannel sspi rustls"
    " common_algorithm version versions suite suites",
    "OAUTH": "oauth oauth2 xoauth2 xoauth oauthbearer modern_auth* openid",
    "APPSPECIFIC": "application-specific app-specific application_specific app_specific app_password app_passwords app_passcode"
    " application_password application_passwords device_password third-party_password external_password authorization_password"
    " apppassword authorized_code authorization_codes client_password mail_password app-password dedicated_password"
    " generated_password external_applications third_party_password apps_password specific_password applications_password"
    " password_for_external password_for_applications app-pass* application-password application_code app-passwords apppasswords"
    " device-specific service-specific service_password client_specific_password authorization_code_instead auth_code"
    " unique_password",
    "MFA": "mfa 2fa factor two-factor 2-step multifactor two-step multi-factor second_factor otp totp one-time_password"
    " one-time_code one_time_password two_step another_step additional_step conditional_access interaction_required"
    " strong_authentication interactionrequired twofactor two_factor multi_factor one-time 2-factor 2sv 2-sv two-stage"
    " second-factor passkey security_key verification_code authentication_code totp_code otp_code login_code security_code"
    " additional_authentication step-up additional_verification",
    "BROWSER": "browser webmail web_interface web_browser web_login web_site website webpage web_page portal control_panel"
    " web_mail web_client visit_https via_web online signin_page web_page_to our_website our_site the_website the_site"
    " via_the_web account_page customer_area customer_center my_account user_panel web-based log_in_online webmail_interface"
    " webinterface user_portal",
    "VERIFY": "verify verification verified confirm confirmation validate confirmed reverify unverified confirming verifying"
    " reconfirm activation_link confirmation_mail confirmation_email confirmation_link",
    "CAPTCHA": "captcha captchas challenge unlock unlockcaptcha",
    "TERMS": "terms eula agreement tos licence_agreement license_agreement privacy_policy user_agreement conditions_of_use"
    " terms_and_conditions",
    "ACCEPT": "accept agree accepted consent",
    "SUSPICIOUS": "suspicious unusual suspected compromised hijacked hacked breached abnormal anomalous unrecognized_device"
    " leaked irregular unrecognised_device",
    "ACTIVITY": "activity attempt_was behaviour behavior",
    "IP": "ip ips ipaddress ip-address ipv4 ipv6 network_address address_range subnet netblock this_network your_network"
    " your_isp your_subnet remote_address client_address source_address sending_ip originating_ip peer_address vpn tor",
    "HOST": "host hosts hostname client_host client_address helo ehlo peer rdns ptr mta dynamic residential smtp_client"
    " connecting_host remote_host sending_server sending_host sender's_host mail_server_host hosting_provider"
    " hosting_providers cloud_provider cloud_providers",
    "REVERSE": "reverse ptr rdns reverse_dns reverse-dns forward-confirmed fcrdns hostname_lookup pointer_record"
    " generic_hostname no_rdns no_ptr ptr-record dns_ptr must_resolve",
    "COUNTRY": "country countries geo geoip geographical region location geolocation geographic this_location your_location"
    " outside_of abroad geo-ip geo-blocked geoblocked geo_blocking geofence foreign",
    "DOMAIN": "domain domains",
    # states and faults
    "EXPIRED": "expired expire expires expiry expiration lapsed stale no_longer_valid outdated timed_out_token overdue has_ended"
    " is_over period_over have_ended ran_out run_out not_renewed too_old aged ended_on unrenewed exp out_of_date",
    "DISABLED": "disabled disable deactivated inactive inactivated switched_off turned_off deactivate disabling is_off"
    " not_enabled not_active inaccessible revoked_access not_available_for off disallowed no_longer_enabled deactivation"
    " not_activated disables blocked_off taken_out_of_service administratively_disabled is_disabled unactivated opted_out"
    " userstatus status_abnormal retired deprecated no_longer_possible no_longer_available no_longer_supported no_longer_allowed"
    " no_longer_permitted phased_out sunset withdrawn no_longer_accept no_longer_accepts no_longer_accepted"
    " no_longer_allows no_longer_permits no_longer_supports",
    "LOCKED": "locked lock lockout locked_out suspended suspend suspension frozen freeze barred closed terminated cancelled"
    " canceled deleted removed banned_account deprovisioned unpaid non-payment nonpayment unlicensed overdue_payment restricted"
    " hold on_hold archived dormant quarantined lockedout accountdisabled accountlocked paused locking_out lock-out lockdown"
    " locked-out cancellation deletion decommissioned discontinued unpaid_invoice overdue_invoice not_paid payment_required"
    " past_due delinquent suspends",
    "LICENCE": "unlicensed licence license licensed subscription_expired plan trial pro premium paid upgrade_your tariff",
    "WRONG": "invalid incorrect wrong bad mismatch unrecognized unrecognised erroneous incorrectly do_not_match does_not_match"
    " not_match don't_match doesn't_match not_valid not_correct isn't_valid isn't_correct unmatched errata unknown_or_bad"
    " incorect invald wrongly unacceptable improper inaccurate non-valid nonvalid not_recognized not_recognised"
    " can't_be_verified cannot_be_verified could_not_be_verified failed_verification"
    " seem_right look_right isn't_right not_quite_right untrusted",
    "FAIL": "failed failure failures fail fails unsuccessful unsuccessfully failing could_not unable cannot can't couldn't"
    " can_not rejected reject refused declined not_successful not_accepted logonfailed error unsuccesful unsuccessfull failled"
    " couldnt cant rejecting rejection refusing refusal unabled did_not_succeed not_succeed was_not_successful",
    "NOT": "not no n't never nor without isn't aren't doesn't don't didn't wasn't hasn't none neither nonexistent non-existent"
    " cannot can't won't wouldn't couldn't unable nonexisting dont doesnt didnt isnt cant wont dosn't dosnt doesn't_have ain't"
    " lacks lack missing nobody non insufficient",
    "EXIST": "exist exists existing found existent such available_here known located here_by here nonexistent non-existent"
    " existed exits recognize recognise recognised recognized hosted_here in_use_here valid_here in_our serviced match_any",
    "UNKNOWN": "no_longer_valid no_longer_available no_longer_on no_longer_exists no_longer_accepts unknowns doesn't_have_a"
    " unallocated not_our_customer dead_domain unknown nonexistent non-existent no_such unrouteable unroutable undeliverable"
    " nosuchuser doesnotexist unknownuser notfound no_longer_in_use no_longer_active no_longer_used no_longer_here"
    " no_longer_works not_our not_in_our not_listed_in not_in_the_directory no_mailbox no_account no_user no_recipient unrouted"
    " unroutable_address not_routable not_deliverable cannot_deliver no_longer_with not_a_customer not_hosted nosuch"
    " non-existing inexistent not_local so_such folder_missing mailbox_missing user_missing is_missing been_deleted been_removed"
    " was_deleted was_removed isn't_selectable not_selectable noselect of_that_name by_that_name with_that_name of_this_name"
    " by_this_name that_name",
    "ENABLED": "enabled enable active activated activate turned_on switched_on provisioned enabling activating activation"
    " switch_on turn_on opened configured please_open open_smtp open_imap open_the",
    "ALLOWED": "allowed allow allows permitted permit permits authorized authorised permission accepted allowing entitled"
    " eligible authorised_to authorized_to acceptable granted allowed_to welcome",
    "DENIED": "denied deny denies prohibited forbidden refused rejected reject disallowed not_allowed not_permitted"
    " not_authorized not_authorised unauthorized unauthorised declined barred rejects disallow disallows denying unallowed"
    " impermissible not_acceptable not_welcome not_accepted unwelcome can_not_accept cannot_accept won't_accept refuse refuses"
    " refusing does_not_accept doesn't_accept banned rejection rejecting may_not must_not forbids forbid",
    "REQUIRED": "required requires require requiring need needs needed must mandatory necessary first should enforce enforced"
    " have_to only issue expected expects expecting use requiered require_a requred needs_to switch_to please_use please_enable"
    " demands insists must_be obliged supposed compulsory"
    " please_sign_in please_log_in please_login",
    "SUPPORTED": "supported support supports implemented advertised offered recognized recognised understood support_for_this"
    " configured_to_support supporting capable offer offers advertise advertises provide provides",
    "UNSUPPORTED": "too_weak unsupported unimplemented unrecognized unrecognised not_supported not_implemented unadvertised"
    " unsuported not_known not_understood no_support cannot_use not_offered 0_possible no_possible no_compatible no_common"
    " no_suitable no_usable none_of_the_supported zero_supported incompatible not_offer doesn't_offer does_not_offer not_provide",
    "REVOKED": "revoked revocation invalidated withdrawn consumed already_used been_used redeemed already_redeemed"
    " no_longer_authorized been_cancelled",
    "CHANGE": "change changed reset renew update changing set_a_new new_password choose_a_new chang changes reset_your"
    " must_be_reset renewal renewed renewing replaced replace",
    # how much
    "CONNECTION": "connection connections conns connects sockets clients client_connections instances processes"
    " connected_clients sessions imap_connections logged_in_users connexions conn connections_from tcp_connections sessions_per"
    " smtp_sessions thread threads"
    " many_connect many_connects parallel_connects concurrent_connects simultaneous_connects mail_apps email_apps"
    " many_devices many_apps many_programs many_places many_locations many_computers email_programs devices_connected"
    " session_limit session_quota",
    "CONCURRENT": "concurrent concurrently simultaneous simultaneously parallel active_connections at_once at_the_same_time"
    " concurrency another_client multiple_connections already_connected simultaneus already_logged_in_from in_parallel"
    " connections_open already_has",
    "SESSION": "session sessions",
    "MANY": "many much excessive numerous high more_than repeated repeatedly excess to_many",
    "LIMIT": "limit limits limited limitation quota maximum max cap allowance threshold restricted_to upper_limit limiting"
    " ratelimited numbers number_of max_number limitations at_most upto up_to no_more_than allotment only_allowed_to maximums"
    " ceiling limit_of rlimit allowed_number",
    "EXCEED": "exceed exceeds exceeded exceeding reached over_limit over_the over_quota surpassed overlimit maxed exhausted"
    " used_up limitexceeded over_your over_its over_their out_of_allow over_allotment hit_the hit_your have_hit has_hit"
    " went_over go_over been_reached overrun overstepped used_all",
    "RATE": "volume rate rates ratelimit rate-limit ratelimited rate_limited per_second per_minute velocity speed pace"
    " ratelimits rate-limits frequency rate_control queue_quota",
    "FREQUENT": "frequent frequently frequency too_fast quickly too_quick too_often slow_down slowdown rapid rapidly back_off"
    " backoff too_soon_again wait_before too_quickly slow-down slowing too_soon retry_less less_often too_rapid hammering",
    "THROTTLE": "throttle throttled throttling throttlelimit ratelimited rate-limited backpressure greylist* graylist*"
    " grey-list* gray-list* toomanyrequests flood flooding tarpit* grey-listed rate_limiter greylisted throtteling"
    " throttled_back backoff_requested rate-limiting ratelimiting rate_limiting grey_list* gray_list* deferred_by_greylisting",
    "ATTEMPT": "attempt attempts tries requests request logins logons auths retries failures commands errors mistakes"
    " authentications guesses invocations calls trials tried invalid_commands bad_commands failed_commands unknown_commands"
    " auth_attempts retry_count",
    "BANDWIDTH": "bandwidth bytes transfer traffic download upload downloads data_transfer mb_per",
    "QUOTA": "quota quotas overquota over-quota storage space mailbox_size capacity disk_space storage_limit disk_quota"
    " mailbox_storage storage_quota mail_quota allocated allocation storage_allocation quota_limit over_its_storage"
    " mailbox_limit",
    "FULL": "full out_of_storage out_of_space no_space no_more_space out_of_disk exhausted overfull no_storage no_space_left_in"
    " no_room no_free_space full_mailbox inbox-full is_over_quota storage_full overstuffed insufficient_quota"
    " insufficient_storage_space not_enough_space not_enough_room no_more_room not_enough_storage insufficient_space"
    " enough_space enough_room",
    "DISK": "disk disc storage filesystem partition volume disks spool file_system file-system tmp",
    "DAILY": "daily day hourly hour hours per_hour per_day days 24-hour 24h today tomorrow month monthly weekly hrs minute"
    " second per_minute per-hour per-day",
    "SENDING": "sending send sends outbound outgoing relay_limit sent submission mailing submit delivering outmail out_mail"
    " outgoing_messages",
    "RECIPIENT": "recipient recipients rcpt rcpts addressee addressees recipient's to_address rcpt_to forward-path receiver"
    " receivers recipient_address",
    "MESSAGE": "message messages mail mails email emails e-mail msg content body attachment letter messages_per outgoing_mail"
    " newsletter mailing",
    "SENDER": "sender from_address from_header mail_from mailfrom envelope_sender return-path reverse-path sender's envelope"
    " originator spoof* send-as sendas header_from from_domain mail-from from-address smtp_from sender_address sender's_address"
    " sending_address send_from sending_from from_your_own",
    "RELAY": "relay relaying relayed relays rcpthosts open_relay relay-access relay-denied third-party_relay gateway_for"
    " open-relay local_domain relays_denied",
    "SIZE": "size large oversized bytes length too_big mb big long bigger larger too_large too_long maximum_size oversize",
    # refusals
    "BLOCKED": "basicauthblocked blocked block blocking banned ban blackholed barred blocks blocked_by temporarily_deferred"
    " temp_banned intrusion_prevention bans bann blocking_you firewalled geo-block filtered",
    "BLACKLIST": "blacklist blacklisted blocklist blocklisted denylist dnsbl rbl rbls spamhaus sorbs spamcop barracuda"
    " barracudacentral block_list zen surbl uceprotect blacklists blacklis* block-list sbl xbl pbl cbl black_list denylisted"
    " abuseat senderbase invaluement mailspike psbl nixspam fail2ban blocklists listed_in listed_by listed_at dnsblock black_ip"
    " blackisted greyhound brute_force brute-force bruteforce intrusion bl_hit on_our_block our_block ip-blocklist"
    " realtime_block rbl_deny denylists ubl uribl dbl sbl-xbl listed_on list_of_blocked hostkarma backscatterer address_deferred"
    " ip_deferred abuse_go",
    "WHITELIST": "whitelist whitelisted allowlist allowlisted allow_list white_list",
    "REPUTATION": "reputation senderscore sender_score bad_reputation poor_reputation senderbase_score talos trust_score cloudmark",
    "SPAM": "bounce_attacks attacks spam spammy spamming spammer unsolicited junk bulk uce ube phishing phish malicious abuse"
    " abusive abused malware fraud fraudulent spammers scam spamassassin rspamd spam-like spamlike honeypot blacklisted_url"
    " unsollicited trashmail spam-filter antispam anti-spam spammers' junkmail backscatter complaints complaint",
    "VIRUS": "virus viruses infected trojan malware eicar worm executable clamav dangerous antivirus anti-virus infection"
    " malicious_software",
    "DMARC": "dmarc spf dkim arc bimi unauthenticated_email sender_policy_framework spoofing spoofed anti-spoofing",
    "POLICY": "policy policies administratively prohibited rules aup acceptable_use local_policy terms_of_service violates"
    " violation_of violate security_reasons administrative prohibition",
    "CONTENT": "content message_content subject attachment attachments file url link header headers body file_type filetype"
    " extension urls links",
    # the server's own troubles
    "TEMPORARY": "temporary temporarily transient temporal temporally tempfail temp momentarily momentary intermittent"
    " temporaily currently presently at_this_time at_the_moment right_now for_now short_while temporarly temporaly in_a_while"
    " currently_unable at_present present_moment transiently for_the_moment short-term tmp_fail just_now",
    "LATER": "later try_again retry try_later again shortly minutes please_wait come_back reconnect wait soon moment again_later"
    " retry_later retry_in afterwards after_some_time some_time try_once_more few_minutes in_a_moment please_retry"
    " come_back_later tomorrow",
    "UNAVAILABLE": "unavailable not_available unreachable not_reachable down offline not_responding unresponsive unavail outage"
    " no_servers not_responded serverunavailable out_of_service not_running not_ready lost_connection not_reach unaccessible"
    " out_of_order isn't_available isnt_available not_accessible could_not_be_contacted cannot_be_contacted could_not_contact"
    " cannot_contact cannot_reach could_not_reach unable_to_reach unable_to_contact can't_contact can't_reach isn't_responding"
    " not_respond not_working inoperative not_operational not_started is_down are_down is_offline",
    "MAINTENANCE": "maintenance maintenances upgrading being_upgraded being_migrated being_moved moved_to undergoing"
    " maintainance migration migrating migrated upgrade upgraded moving_your update_in_progress backup_in_progress",
    "BUSY": "busy overload overloaded load congested congestion queue_full capacity_reached resources resource memory inuse"
    " in_use system_load pressure underpowered overloading heavily_loaded heavy_load high_load overburdened saturated"
    " out_of_memory out_of_resources no_memory cannot_allocate queue_is_full too_busy high_demand server_load"
    " insufficient_resources insufficient_system insufficient_memory insufficient_server",
    "INTERNAL": "internal unexpected system local temporary_local backend database mysql sql ldap server_error i/o storage lock"
    " locking bug core serverbug processing upstream proxy panic fatal uncaught unhandled postgres dbms sqlite oracle postgresql"
    " imap_proxy script lookup_failure processing_failure software",
    "ERROR": "error errors problem problems failure fault trouble issue issues failed exception difficulties crash crashed"
    " errored corrupt corrupted corruption inconsistent misconfigured misconfiguration timeout unable bugs mistake malfunction"
    " fails glitch went_wrong failures crashing errror eror erorr",
    "SHUTDOWN": "shutdown shutting going_down restart restarting rebooting terminating stopping going_offline shut_down shuts"
    " restarted reload reloading reboot reboots rebooted shutdowns stopped halt halted switching_off",
    "SYSTEM": "system server service host machine daemon site node backend gateway proxy engine resources services servers"
    " facility servers' mailserver mail_server mailhost cluster nodes daemon's mailsystem",
    # ends
    "TIMEOUT": "timeout timed timed_out time-out time_out timeouts wait_limit timed-out timeouted expired_while_waiting"
    " took_too_long no_answer_within wait_time for_too_long timing_out",
    "IDLE": "idle idling inactivity inactive autologout auto-logout auto_logout no_activity inactive_too_long autologged idled"
    " inactivity_timeout inactivity_timer",
    "CLOSING": "closing closed close disconnect disconnecting disconnected terminated terminating dropped dropping drop ended"
    " hanging_up hung_up hangup disconnects closes shutting_down_connection closing_connection kicked disconnection"
    " dropping_connection ending",
    "LOGOUT": "logout logging_out bye goodbye logged_out signing_off log_out good_bye farewell",
    "DROPPED": "reset lost aborted eof broken dropped broken_pipe interrupted unexpectedly prematurely resets lost_connection"
    " disconnected_unexpectedly closed_by dropped_by aborts hangup severed fill_whole_buffer",
    # the language of protocols
    "SYNTAX": "bare syntax parse parsing malformed unparsable unparseable garbage unexpected_token bogus unterminated garbled"
    " illegal syntactically misformatted sintax unparsed cannot_parse not_parse could_not_parse unterminated_string malformatted"
    " wrong_format invalid_format incorrect_format ill-formed illformed",
    "COMMAND": "command commands verb cmd keyword pipelining mail_command rcpt_command data_command helo_command statement"
    " request_line",
    "SEQUENCE": "sequence out_of_order out-of-sequence order nested_mail nested_rcpt nested_command already synchronization"
    " synchronisation bad_sequence wrong_state duplicate already_specified already_given already_sent already_started"
    " already_selected first_send send_first must_come wrong_order wrong_time unexpected_command invalid_state not_in_this_state"
    " in_this_state bad_state no_valid_recipients no_recipients no_mail no_rcpt need_rcpt need_mail need_helo need_ehlo say_helo"
    " say_hello say_ehlo introduce ehlo_first helo_first provide_a_helo helo_or_ehlo polite pipelined",
    "ARGUMENT": "argument arguments parameter parameters option options atom literal tag line-feed linefeed base64 line lines"
    " bare characters args arg params param operand wildcard wildcards",
    "PROTOCOL": "protocol rfc rfc822 rfc5321 rfc2821 rfc5322 non-compliant compliant violation protocol-level protocol_state"
    " conversation rfc2822",
    "IMAP": "imap imap4 imap4rev1 imap4rev2 imaps imap-access imap4s imap-server",
    "POP": "pop pop3 pop3s",
    "SMTP": "smtp smtps esmtp smtpclientauthentication smtp_auth submission_service mail_client mail_clients third-party_clients"
    " smtp-auth smtp-server outgoing_server smtp_service smtp_access mail_programs mail_program email_clients email_client"
    " external_clients client_submission smtp_submission mail_submission",
    "MECHANISM": "mechanism mechanisms method methods auth_type authentication_type auth-type scheme schemes sasl_mechanism"
    " authentication_types mech cram-md5 digest-md5 sasl_mechanisms auth_mechanism auth_method auth_methods login_method"
    " login_methods authentication_method cram digest gssapi ntlm xoauth2_mechanism authenticator authenticators",
    "BASIC": "basic basicauth basicauthentication legacy less_secure plain_login basic_authentication legacy_auth*"
    " basicauthblocked logondenied-basicauthblocked password_authentication plain_password password_based password-based"
    " password_login password_logins simple_authentication password_auth basic-auth user_password_login password_sign-in"
    " password_sign-ins",
    "PERMISSION": "permission permissions rights right privilege privileges acl acls entitled entitlement noperm role"
    " impersonate delegate access privileged authority authorisations authorizations accessible authorization_to"
    " insufficient_authorization",
    "OWNED": "owned owner own belong belongs belonging match matches registered verified same equal on_behalf onbehalf"
    " belonging_to be_your your_own equals associated own_address does_not_belong",
    "ACCESS": "access accessing",
    "FEATURE": "feature available only_available service this_service function",
    "ALIAS": "alias aliases address addresses @",
    "ALREADY": "already already_using",
    "HELD": "by_another another_process another_session another_user other_process other_client lock_file lockfile"
    " unable_to_lock can't_lock cannot_lock could_not_lock couldn't_lock failed_to_lock lock_mailbox lock_maildrop"
    " lock_the_mailbox lock_the_maildrop obtain_lock acquire_lock acquire_a_lock get_lock getting_lock exclusive already_locked"
    " mailbox_lock maildrop_lock being_used locked_by_other being_accessed mailbox_is_busy",
    "BACKEND": "database databases db mysql postgres postgresql sqlite ldap directory_service directory_server directory_lookup"
    " active_directory lookup lookups backend backends datastore mailstore mail_store message_store authserver auth_server"
    " authentication_server authentication_service auth_service authentication_backend authentication_daemon auth_daemon"
    " auth_backend auth_process authdaemon authdaemond saslauthd radius pam scanner scan_engine spam_filter virus_filter"
    " antivirus_engine milter policy_server policy_service content_filter spool queue user_database passdb userdb"
    " storage_backend nfs home_directory maildir_folder index_files mail_directory looking_up look_up next_hop nexthop"
    " downstream",
    "PER": "per_minute per_hour per_day per_second per_month per_week per_24 per_60 per_10 per_5 daily hourly monthly"
    " twenty-four 24-hour 24_hours 24_hour in_the_last within_the_last last_24 last_hour last_minute last_minutes per-day"
    " per-hour an_hour a_day each_day each_hour every_hour hour_period day_period day_limit hour_limit for_today for_the_day"
    " for_the_month for_this_month every_day time_interval time_period time_window in_a_short within_an_hour within_a_day"
    " h_limit hours_limit per_60_minutes per_24_hours",
    "SCOPE": "scope scopes redirect_uri redirecturi audience resource_principal client_registration",
    "GATEWAY": "bad_gateway gateway_timeout gateway_time-out service_unavailable internal_server_error code_500 code_502"
    " code_503 code_504 http_500 http_502 http_503 http_504 status_500 status_502 status_503 status_504",
    "RESOLVE": "resolve resolving resolution resolver dns lookup getaddrinfo gethostbyname name_server nameserver"
    " hostname_could_not host_not_found find_host find_the_host look_up_the_name look_up_host lookup_host find_server"
    " find_the_server name_lookup host_lookup",
    "TRANSFER": "read reading write writing recv receive receiving transmission",
    "GREETING": "greeting banner welcome",
    "USED": "used redeemed already_used",
    "CONNECTING": "connect connecting",
    "ABORTED": "canceled cancelled aborted abandoned cancelled_by canceled_by",
    "DURING": "during now within_a_transaction mail_transaction in_progress after_authentication after_login after_compress",
    "SELECTED": "mailbox_selected folder_selected select_a_mailbox select_a_folder not_selected select_mailbox_first select_first",
    "SERVERDISK": "on_device temp_file system_storage disk_space filesystem partition server_disk spool queue_directory"
    " system_disk no_space disk_full",
    "TOOBIG": "too_big too_large too_long larger_than bigger_than oversized oversize size_exceeds exceeds_size"
    " exceeds_maximum_size exceeds_the_maximum_size size_limit header_size ridiculously_long",
    "ENCODING": "8-bit 8bit 7-bit 7bit eight_bit 8bitmime nul null_byte nul_byte smtputf8 non-ascii unicode utf-8 utf8 binary"
    " binarymime mime charset bare_lf bare_cr bare_linefeed control_characters international internationalized internationalised"
    " base64 line_ending line_endings crlf",
    "LOOP": "loop loops looping looped hops hop_count received_headers too_many_received received_header header_count"
    " header_counts",
    "MISTAKES": "errors mistakes bad_commands invalid_commands unknown_commands unrecognized_commands failed_commands"
    " bad_recipients unknown_users invalid_recipients unknown_recipients syntax_errors protocol_errors bad_rcpt invalid_rcpt",
    "UNKNOWNERROR": "unknown_error unspecified_error undefined_error unexplained_error",
    "OTHERSERVICE": "pop3 ftp ssh http proftpd vsftpd openssh telnet nntp sieve managesieve",
    "HEADERWORD": "header headers header_field header_fields message-id date_header from_header subject_header mime-version"
    " to_header",
    "LACKING": "missing required no lacks lacking empty invalid bad malformed duplicate multiple illegal",
    "UNAUTHORIZED": "unauthorized unauthorised not_authorized not_authorised",
    "WAITING": "please_wait wait_for have_to_wait must_wait wait_at_least need_to_wait wait_a deferred delayed wait",
    "DURATION": "seconds minutes secs mins sec min hour hours second minute",
    "CONNECTIONS": "connections sessions clients",
    "OPENFAIL": "can't_open cannot_open can_not_open could_not_open couldn't_open unable_to_open failed_to_open"
    " can't_access_store open_failed",
    "RECEIVING": "received receiving receives",
    "DUPLICATE": "duplicate duplicated twice only_one only_once once_per more_than_once at_most_one just_one",
    "FIRST": "first before",
    "LINK": "stream socket sockets channel transport pipe",
    "NOANSWER": "no_response no_reply no_answer did_not_respond didn't_respond did_not_reply did_not_answer not_responded"
    " without_response",
    "YOURS": "you_have_exceeded you've_exceeded you_exceeded your_quota exceeded_your you_have_reached you've_reached"
    " reached_your you_have_hit your_messaging you_are_over take_you_over over_your",
    "STORE": "storage space mailbox disk inbox mb gb megabytes",
    "AGAININ": "again_in retry_in retry_after again_after try_in reconnect_in back_in",
    "ELSEWHERE": "wrong_host wrong_server another_server different_server other_server another_host different_host"
    " not_on_this_server home_server",
    "MAILACTION": "move copy append delete expunge store rename create write moving copying appending deleting creating renaming"
    " writing expunging removing remove",
    "GREETFIRST": "need_helo need_ehlo say_helo say_hello say_ehlo introduce_yourself require_ehlo requires_ehlo require_helo"
    " ehlo_first helo_first send_ehlo send_helo issue_ehlo issue_helo helo_required ehlo_required ehlo_is_required"
    " helo_is_required provide_a_helo polite_people missing_ehlo missing_helo without_helo without_ehlo no_helo no_ehlo"
    " talk_too_soon before_greeting before_the_greeting before_smtp_greeting data_before early_talker early_talking",
    "RIGHT": "right rights permission permissions privilege privileges entitlement entitled",
    "OWNPROXY": "socks socks4 socks5 http_proxy socks_proxy proxy_server",
    "CRITERIA": "criteria criterion",
    "HERE": "on_this_server for_this_server this_server here on_the_server this_host this_port on_this_port",
    "GRANTTYPE": "grant_type response_type grant_types",
    "ONLY": "only solely exclusively just",
    "JSONWORD": "json html doctype",
    "READONLY": "read_only read-only readonly",
    "OURSIDE": "our_side our_end our_fault something_went something_unexpected",
    "CLEAR": "unencrypted_connection insecure_connection cleartext_connection plaintext_connection non-secure_connection"
    " unencrypted_session without_tls without_ssl without_starttls without_encryption",
    "TOOSLOW": "taken_too_long take_too_long took_too_long takes_too_long too_slow",
    "SPEAK": "speak speaking",
    "OVERFEED": "excessive_amount_of_data too_much_data excess_data amount_of_data",
    "NOREASON": "reason_unavailable no_reason reason_unknown unknown_reason",
    "ATTACHMENT": "attachment attachments file_type filetype file_extension executable executables",
    "TLSOLD": "tls_1 tls_v1 tlsv1 sslv3 sslv2 ssl_v3 ssl_3 ssl_2",
    "AUTHREQ": "authentication_required authentication_is_required auth_required auth_is_required must_authenticate"
    " must_be_authenticated please_authenticate authentication_needed authentication_is_needed need_to_authenticate"
    " needs_authentication authenticate_first authentication_first log_in_first login_first must_log_in must_login"
    " requires_authentication requires_smtp_authentication smtp_authentication_required require_authentication please_login"
    " please_log_in need_authentication not_authenticated not_logged_in use_smtp_auth enable_smtp_auth"
    " login_required login_is_required log_in_to_send sign_in_to_send login_before log_in_before must_sign_in have_to_log"
    " have_to_sign sign_in_first authenticate_before authenticating_before",
    "NORCPT": "no_valid_recipients no_recipients no_recipient_addresses without_recipients no_valid_rcpt",
    "DNSRECORD": "mx mx_record a_record dns_record mx_records dns_records dns_entry dns_entries proper_dns",
    "LISTWORD": "mailing_list this_list the_list list_members distribution_list distribution_group this_group the_group",
    "AVAILABLE": "available reachable responding accessible operational running working",
    "NOTNOW": "just_now right_now at_the_moment at_this_time at_present currently now",
    "MINUTELY": "per_minute per_second last_minute a_minute a_second each_minute per_min requests_min",
    "LIFETIME": "session_duration connection_duration session_lifetime connection_lifetime session_length connection_length"
    " maximum_session_time maximum_connection_time session_time_limit connection_time_limit open_too_long open_for_too_long"
    " connected_too_long connected_for_too_long session_too_long connection_too_long session_age connection_age"
    " maximum_lifetime maximum_idle_time",
    "MSGSET": "message_set message_sets messageset uid_set uid_list uids uid_range uid_ranges sequence_set sequence_range"
    " sequence_number"
    " sequence_numbers message_sequence uid_sequence message_number message_numbers",
    "KEPT": "on_server on_the_server on_our_server in_mailbox in_the_mailbox in_your_mailbox in_inbox in_the_inbox"
    " mailbox_holds inbox_holds mailbox_contains"
    " inbox_contains folder_contains stored user_has mailbox_has inbox_has recipient_has account_has",
    "NEWER": "higher later newer above minimum least version versions better up",
    "LOSTLINK": "connection_lost channel_closed stream_closed socket_closed input_closed connection_reset connection_broken",
    "UNWANTED": "want_your want_mail want_email want_to_receive wish_to_receive blocked_you blocked_by_recipient"
    " blocked_by_the_recipient blocked_by_this_recipient refuses_your refuse_your accept_your"
    " mail_from_you mails_from_you email_from_you emails_from_you messages_from_you",
    "IPCHECK": "ip_check ip_checks ip_address_check ip_address_checks ip_verification ip_validation ip_address_verification"
    " ip_address_validation ip_test ip_filter check_ip check_your_ip",
    "CONFINED": "restricted_to confined_to limited_to only_from only_allowed_from allowed_only_from only_possible_from"
    " only_accepted_from",
    "OURDOMAIN": "my_domain my_domains our_domain our_domains local_domain of_ours my_local our_local",
}
