"""Mainspring: keeps data syncs on schedule."""
