"""How everything looks: the only home of colours, sizes and fonts."""
