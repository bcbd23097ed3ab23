"""English words for a server's own troubles, ends of sessions and the language of protocols; a part of `lexicon.ENGLISH`."""

from collections.abc import Mapping
from typing import Final

SERVERS: Final[Mapping[str, str]] = {
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
    " errored corrupt corrupted corruption inconsistent inconsistency inconsistencies misconfigured misconfiguration timeout"
    " unable bugs mistake malfunction"
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
    "LOGOUT": "logout logging_out bye goodbye logged_out signing_off log_out good_bye farewell autologout auto-logout"
    " auto_logout autologged",
    "DROPPED": "reset lost aborted eof broken dropped broken_pipe interrupted unexpectedly prematurely resets lost_connection"
    " disconnected_unexpectedly closed_by dropped_by aborts hangup severed fill_whole_buffer",
    # the language of protocols
    "SYNTAX": "parsed bare syntax parse parsing malformed unparsable unparseable garbage unexpected_token bogus unterminated"
    " garbled"
    " illegal syntactically misformatted sintax unparsed cannot_parse not_parse could_not_parse unterminated_string"
    " malformatted wrong_format invalid_format incorrect_format ill-formed illformed imbalanced unbalanced",
    "COMMAND": "command commands verb cmd keyword pipelining mail_command rcpt_command data_command helo_command statement"
    " request_line",
    "SEQUENCE": "sequence out_of_order out-of-sequence order nested_mail nested_rcpt nested_command already synchronization"
    " synchronisation bad_sequence wrong_state duplicate already_specified already_given already_sent already_started"
    " already_selected first_send send_first must_come wrong_order wrong_time unexpected_command invalid_state not_in_this_state"
    " in_this_state bad_state state_error illegal_state current_state improper_state no_valid_recipients no_recipients no_mail"
    " no_rcpt need_rcpt need_mail need_helo need_ehlo say_helo"
    " say_hello say_ehlo introduce ehlo_first helo_first provide_a_helo helo_or_ehlo polite pipelined",
    "ARGUMENT": "argument arguments parameter parameters option options atom literal tag line-feed linefeed base64 line lines"
    " bare characters args arg params param operand wildcard wildcards",
    "PROTOCOL": "protocol rfc rfc822 rfc5321 rfc2821 rfc5322 non-compliant compliant protocol-level protocol_state conversation"
    " rfc2822",
    "IMAP": "imap imap4 imap4rev1 imap4rev2 imaps imap-access imap4s imap-server",
    "POP": "pop pop3 pop3s",
    "SMTP": "smtp smtps esmtp smtpclientauthentication smtp_auth submission_service mail_client mail_clients"
    " third-party_clients smtp-auth smtp-server outgoing_server smtp_service smtp_access mail_programs mail_program"
    " email_clients email_client external_clients client_submission smtp_submission mail_submission third-party_apps"
    " third_party_apps external_apps third-party_applications",
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
    "OWNED": "sender_signature yours owned owner own belong belongs belonging match matches registered verified same equal"
    " on_behalf onbehalf"
    " belonging_to be_your your_own equals associated own_address does_not_belong",
    "ACCESS": "access accessing",
    "FEATURE": "feature available only_available service this_service function",
    "ALIAS": "alias aliases address addresses @",
    "ALREADY": "already already_using tls_again starttls_again starttls_twice tls_twice",
    "HELD": "by_another another_process another_session another_user other_process other_client lock_file lockfile"
    " unable_to_lock can't_lock cannot_lock could_not_lock couldn't_lock failed_to_lock lock_mailbox lock_maildrop"
    " lock_the_mailbox lock_the_maildrop obtain_lock acquire_lock acquire_a_lock get_lock getting_lock exclusive already_locked"
    " mailbox_lock maildrop_lock being_used currently_reserved locked_by_other being_accessed mailbox_is_busy",
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
    "USED": "reuse reused replayed replay used redeemed already_used",
    "CONNECTING": "connect connecting open_connection open_a_connection open_the_connection establish_connection"
    " establish_a_connection",
    "ABORTED": "canceled cancelled aborted abandoned cancelled_by canceled_by",
    "DURING": "during now within_a_transaction mail_transaction in_progress after_authentication after_login after_compress",
    "SELECTED": "mailbox_selected folder_selected select_a_mailbox select_a_folder not_selected select_mailbox_first select_first",
    "SERVERDISK": "on_device temp_file system_storage disk_space filesystem partition server_disk spool queue_directory"
    " system_disk no_space disk_full",
    "TOOBIG": "too_big too_large too_long larger_than bigger_than oversized oversize size_exceeds exceeds_size"
    " exceeds_maximum_size exceeds_the_maximum_size size_limit header_size ridiculously_long line_length line_lengths",
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
    "RECEIVING": "can_receive may_receive could_receive received receiving receives",
    "DUPLICATE": "duplicate duplicated twice only_one only_once once_per more_than_once at_most_one just_one",
    "FIRST": "first before",
    "LINK": "stream socket sockets channel transport pipe",
    "NOANSWER": "not_answer not_reply not_respond no_response no_reply no_answer did_not_respond didn't_respond did_not_reply"
    " did_not_answer not_responded"
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
    "HERE": "here allowed_here on_this_server for_this_server this_server here on_the_server this_host this_port on_this_port",
    "GRANTTYPE": "grant_type response_type grant_types",
    "ONLY": "only solely exclusively just",
    "JSONWORD": "json html doctype",
    "READONLY": "read_only read-only readonly",
    "OURSIDE": "our_side our_end our_fault something_went something_unexpected",
    "CLEAR": "unencrypted_connection insecure_connection cleartext_connection plaintext_connection non-secure_connection"
    " unencrypted_session without_tls without_ssl without_starttls without_encryption",
    "TOOSLOW": "taken_too_long take_too_long took_too_long takes_too_long taking_too_long"
    " too_slow slow_consumer slow_client throughput",
    "SPEAK": "speak speaking",
    "OVERFEED": "excessive_amount_of_data too_much_data excess_data amount_of_data",
    "NOREASON": "reason_unavailable no_reason reason_unknown unknown_reason",
    "ATTACHMENT": "attachment attachments file_type filetype file_extension executable executables",
    "TLSOLD": "tls_1 tls_v1 tlsv1 sslv3 sslv2 ssl_v3 ssl_3 ssl_2",
    "AUTHREQ": "authentication_required authentication_is_required auth_required auth_is_required must_authenticate"
    " must_be_authenticated please_authenticate authentication_needed authentication_is_needed need_to_authenticate"
    " needs_authentication authenticate_first authentication_first log_in_first login_first must_log_in must_login"
    " requires_authentication requires_smtp_authentication smtp_authentication_required require_authentication"
    " please_login please_log_in need_authentication not_authenticated not_logged_in use_smtp_auth enable_smtp_auth"
    " login_required login_is_required log_in_to_send sign_in_to_send login_before log_in_before must_sign_in"
    " have_to_log have_to_sign sign_in_first authenticate_before authenticating_before identify_yourself"
    " identification_required authenticate_yourself",
    "ONLINE": "online logged_in logged_on already_connected already_online are_connected signed_in on_line connected",
    "BADREQUEST": "bad_request",
    "ITSYOU": "this_is_you it_is_you it's_you it_was_you that_was_you this_was_you really_you was_it_you your_identity",
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
    " blocked_by_the_recipient blocked_by_this_recipient refuses_your refuse_your accept_your mail_from_you"
    " mails_from_you email_from_you emails_from_you messages_from_you blocked_by_the_recipient's recipient's_filter"
    " sender_filter",
    "IPCHECK": "ip_check ip_checks ip_address_check ip_address_checks ip_verification ip_validation ip_address_verification"
    " ip_address_validation ip_test ip_filter check_ip check_your_ip",
    "CONFINED": "restricted_to confined_to limited_to only_from only_allowed_from allowed_only_from only_possible_from"
    " only_accepted_from only_through only_via only_by restricted_to_the only_be_used only_be_accessed only_be_read",
    "OURDOMAIN": "local_user local_account local_address local_sender non_local nonlocal not_local local_users my_domain"
    " my_domains our_domain our_domains local_domain of_ours my_local our_local",
    "BREACH": "violation violates violate violated violating violations breach breaches breached breaching contravene*"
    " contravention infringe* infringement",
    "APPROVE": "approve approved approval authorize authorise authorized authorised authorization authorisation reauthorize"
    " re-authorize reauthorise re-authorise reauthorization re-authentication reauthentication reauthenticate"
    " re-authenticate re-authorization",
    "SUSPENDED": "suspended suspension suspend",
    "MAILADDRESS": "email_address e-mail_address mail_address sender_address email_addresses",
    "COMPROMISED": "compromised hijacked hacked breached",
    "DECODING": "decode decoding decoded undecodable decoder",
    "ABSENT": "missing absent lacking lacks no_sender no_recipient no_from empty",
    "URILIST": "uribl surbl dbl ubl",
    "BADRCPTS": "bad_recipients invalid_recipients unknown_recipients unknown_users bad_rcpt invalid_rcpt invalid_addresses"
    " wrong_recipients nonexistent_recipients non-existent_recipients nonexistent_users invalid_users bad_addresses",
    "LISTED": "listed listing",
    "WEBMAIL": "webmail web_interface webinterface web_mail web_client webmail_interface browser web_browser the_web web_ui"
    " webui web_app",
    "DELETED": "deleted removed erased purged destroyed",
    "NEWTOKEN": "refresh refreshing refreshed renew renewed renewing renewal create creating obtain obtained obtaining get getting"
    " fetch fetched fetching acquire acquired retrieve retrieved generate generated",
    "POPFIRST": "pop_before pop3_before before_pop smtp_after_pop after_pop pop_first pop3_first pop_auth pop3_auth popauth"
    " pop_authentication pop3_authentication pop_account pop3_account login_with_pop login_with_pop3 log_in_with_pop with_pop"
    " via_pop via_pop3 with_pop3 pop_login pop3_login popsmtp",
    "FETCHFIRST": "check_your_mail check_your_email check_your_e-mail check_your_inbox check_your_mailbox check_for_mail"
    " check_for_new checked_your_mail check_mail check_email checking_mail checking_your_mail retrieve_your_mail retrieve_mail"
    " retrieve_your_email receive_mail receive_your_mail get_mail get_your_mail collect_your_mail download_your_mail"
    " download_your_email read_your_mail fetch_your_mail fetch_mail",
    "NOTLISTED": "not_listed isn't_listed not_on_the_list unlisted",
}
