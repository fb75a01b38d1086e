"""The console's settings for the tests' town: passwords that are quick to check; everything else as in a node."""

from sheka.config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
