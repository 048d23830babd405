"""Colours as a QPalette: what Qt's own style paints with, and what widgets without a style sheet fall back to."""

from PySide6.QtGui import QColor, QPalette

from sptrader_desktop.ui.theme.tokens import Colours

Role = QPalette.ColorRole


def palette(colours: Colours) -> QPalette:
    made = QPalette()
    for role, colour in roles(colours).items():
        made.setColor(role, QColor(colour))
    for role in (Role.WindowText, Role.Text, Role.ButtonText, Role.PlaceholderText, Role.HighlightedText):
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(colours.edge))
    made.setColor(QPalette.ColorGroup.Disabled, Role.Highlight, QColor(colours.hover))
    return made


def roles(colours: Colours) -> dict[QPalette.ColorRole, str]:
    return {
        Role.Window: colours.panel,
        Role.WindowText: colours.text,
        Role.Base: colours.field,
        Role.AlternateBase: colours.panel,
        Role.Text: colours.text,
        Role.PlaceholderText: colours.muted,
        Role.Button: colours.raised,
        Role.ButtonText: colours.text,
        Role.BrightText: colours.danger,
        Role.Light: colours.hover,
        Role.Midlight: colours.raised,
        Role.Mid: colours.line,
        Role.Dark: colours.line,
        Role.Shadow: colours.window,
        Role.Highlight: colours.selected,
        Role.HighlightedText: colours.text,
        Role.Accent: colours.accent,
        Role.Link: colours.accent,
        Role.LinkVisited: colours.accent,
        Role.ToolTipBase: colours.raised,
        Role.ToolTipText: colours.text,
    }
