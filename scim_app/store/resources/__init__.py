"""Users, teams and memberships as rows: finding one and changing one."""
