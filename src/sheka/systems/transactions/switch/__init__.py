"""The switch (S4): one asyncio process that answers ISO 8583 over TCP. No Django here: foundation, machine client,
asyncpg.
"""
