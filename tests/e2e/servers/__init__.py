# SPDX-License-Identifier: GPL-3.0-or-later
"""Real mail servers, each throwaway and on loopback, behind one interface (server.py)."""
