"""The encryption machine (H5): its own process, its protocol, its clients. Keys never leave it in clear (K1-K3, K6).

`client.EncryptionMachine` and `aclient.AsyncEncryptionMachine` speak to it, `launch.start_machine` starts one.
"""
