"""Replay: where vehicles were on one time line, together with what happened meanwhile. It only reads."""
