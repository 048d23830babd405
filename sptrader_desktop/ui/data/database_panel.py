"""The connection to PostgreSQL: tried before it is used, and forgotten with its password when the program ends."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFileDialog, QHBoxLayout, QLineEdit, QRadioButton, QWidget

from sptrader_desktop.present.database_address import DEFAULT_PORT, DatabaseParts, ServerTold
from sptrader_desktop.ui.data.data_desk import DataDesk
from sptrader_desktop.ui.data.data_work import DataWork, forget
from sptrader_desktop.ui.data.parts import Foot, button, column, form, label, line, named, row, side_form

SESSION = (
    "What is typed here is kept in memory until the program ends and written nowhere. To connect at every start set DATABASE_URL before "
    "the program starts; where it is set, it is used from the beginning."
)
LOADS = "Candle files named <SYMBOL>_<timeframe>_… go in whole or not at all; a bar that is there already is replaced."
LOADED_BEFORE = "Stopped; the files before this one are loaded"
OWN = "The program's own server keeps its data with your settings, needs no password, and runs while a program of yours uses it."


class DatabasePanel(QWidget):
    used = Signal()

    def __init__(self, desk: DataDesk, work: DataWork, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("databasePanel")
        self._desk, self._work = desk, work
        self.foot = Foot("database")
        self._build()
        self._show_state()

    def address(self) -> str | None:
        """Empty for the program's own server; None where the form is not filled in yet, which is said."""
        if self.own.isChecked():
            return ""
        if self.by_url.isChecked():
            url = self.url.text().strip()
            if not url:
                self.foot.say("Address is empty: write it like postgresql://user:password@host:5432/name", "danger")
            return url or None
        host, port, database, user = (field.text().strip() for field in (self.host, self.port, self.database, self.user))
        parts = DatabaseParts(host, port, database, user, self.password.text())
        if fault := parts.fault():
            self.foot.say(fault, "danger")
            return None
        return parts.address()

    # What it does

    def _test(self) -> None:
        address = self.address()
        if address is not None:
            self._work.start(
                "database", "asking PostgreSQL", lambda _: self._desk.test_database(address), self._tested, self.foot, late=forget
            )

    def _tested(self, told: ServerTold) -> None:
        self.foot.say(told.sentence(), "up")

    def _use(self) -> None:
        address = self.address()
        if address is not None:
            title = "connecting to PostgreSQL"
            work = self._work
            work.start("database", title, lambda _: self._desk.use_database(address), self._in_use, self.foot, late=self._in_use_late)

    def _in_use(self, shown: str) -> None:
        self.foot.say(f"Connected to {shown} until the program ends; its datasets are in the list", "up")
        self._show_state()
        self.used.emit()

    def _in_use_late(self, shown: str) -> None:
        """It was stopped, or another question came after it; it is in use all the same."""
        if not self._work.is_at_work("database"):
            self.foot.say(f"It was done before it could be stopped: connected to {shown} until the program ends", "warning")
        self._show_state()
        self.used.emit()

    def ask_for_files(self) -> None:
        dialog = QFileDialog(self, "Load candle files into PostgreSQL", str(self._desk.folder()), "Candles (*.parquet *.csv)")
        dialog.setObjectName("loadFilesDialog")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(lambda paths: self.load([Path(path) for path in paths]))
        dialog.open()

    def load(self, paths: list[Path]) -> None:
        title = f"loading {paths[0].name}" if len(paths) == 1 else f"loading {len(paths)} files"
        work = self._work
        # The list follows however it ended: the files before the one that was wrong are there.
        work.start(
            "load", title, lambda report: self._desk.load(paths, report), self._loaded, self.foot, LOADED_BEFORE, over=self.used.emit
        )

    def _loaded(self, told: Sequence[str]) -> None:
        self.foot.say("\n".join(told), "up")

    def _show_state(self) -> None:
        shown = self._desk.database()
        self.state.setText(f"In use: {shown}" if shown else "No database is in use yet: test one, then connect")
        self.load_button.setEnabled(bool(shown))

    def _show_kind(self) -> None:
        parts = (self.host, self.port, self.database, self.user, self.password)
        for field, is_asked in (*((part, self.by_parts.isChecked()) for part in parts), (self.url, self.by_url.isChecked())):
            for each in (field, self._answers.labelForField(field)):
                each.setEnabled(is_asked)

    # Building

    def _build(self) -> None:
        self.own, self.by_parts, self.by_url = (
            QRadioButton(text) for text in ("The program's own server", "Another server", "Another server, by address")
        )
        for radio, name in ((self.own, "databaseOwn"), (self.by_parts, "databaseByParts"), (self.by_url, "databaseByUrl")):
            named(radio, name, radio.text())
        self._kinds = QButtonGroup(self)
        for radio in (self.own, self.by_parts, self.by_url):
            self._kinds.addButton(radio)
            radio.toggled.connect(lambda _: self._show_kind())
        self.host = line("databaseHost", "Host", "localhost")
        self.port = line("databasePort", "Port", DEFAULT_PORT)
        self.database = line("databaseName", "Database", "the user's own")
        self.user = line("databaseUser", "User", "your system's")
        self.password = line("databasePassword", "Password")
        self.url = line("databaseUrl", "Address", "postgresql://user:password@host:5432/name")
        for secret in (self.password, self.url):
            secret.setEchoMode(QLineEdit.EchoMode.Password)
        self.test = button("databaseTestButton", "Test", "Ask the server what it is; nothing in it is changed")
        self.connect_button = button(
            "databaseUseButton", "Connect", "Use it until the program ends; its tables are made if they are missing", "primary"
        )
        self.load_button = button("databaseLoadButton", "Load Files…", LOADS)
        self._answers = answers = form()
        answers.addRow(self.own)
        answers.addRow(self.by_parts)
        for text, field in (
            ("Host", self.host),
            ("Port", self.port),
            ("Database", self.database),
            ("User", self.user),
            ("Password", self.password),
        ):
            answers.addRow(text, field)
        answers.addRow(self.by_url)
        answers.addRow("Address", self.url)
        self.own.setChecked(True)
        self._show_kind()
        self.test.clicked.connect(lambda _=False: self._test())
        self.connect_button.clicked.connect(lambda _=False: self._use())
        self.load_button.clicked.connect(lambda _=False: self.ask_for_files())
        for field in (self.host, self.port, self.database, self.user, self.password, self.url):
            field.returnPressed.connect(self._test)
        self.foot.cancelAsked.connect(lambda: self._work.cancel("database", "load"))
        self.state = label("")
        self.state.setObjectName("databaseState")
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(side_form(column(answers, row(self.test, self.connect_button, 1), 1), "databaseAnswers"))
        told = QWidget()
        told.setLayout(
            column(
                *(label("Connection", "title"), self.state, self.foot, label(SESSION, "muted"), label(OWN, "muted")),
                *(label("Load candle files", "title"), label(LOADS, "muted"), row(self.load_button, 1), 1),
            )
        )
        whole.addWidget(told, 1)
