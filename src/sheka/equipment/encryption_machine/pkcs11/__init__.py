"""The encryption machine's second driver (H5, K6): the same verbs and rights, the keys in a PKCS#11 token."""
