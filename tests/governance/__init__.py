"""Tests of governance, money, equity and what provider managers see."""
