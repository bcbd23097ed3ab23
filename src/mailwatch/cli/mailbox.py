"""`mailwatch mailbox …`: the group; its verbs live in `mailbox_add`, `mailbox_show` and `mailbox_acts`."""

import typer

from mailwatch.cli import mailbox_acts, mailbox_add, mailbox_show

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

app.command("add")(mailbox_add.add)
app.command("import")(mailbox_add.import_mailboxes)
app.command("export")(mailbox_add.export)
app.command("set-secret")(mailbox_add.set_secret)
app.command("list")(mailbox_show.list_mailboxes)
app.command("show")(mailbox_show.show)
app.command("history")(mailbox_show.history)
app.command("disconnect")(mailbox_acts.disconnect)
app.command("reconnect")(mailbox_acts.reconnect)
app.command("probe")(mailbox_acts.probe)
app.command("hold")(mailbox_acts.hold)
app.command("release")(mailbox_acts.release)
app.command("remove")(mailbox_acts.remove)
