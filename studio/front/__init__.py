"""What stands in front of Django: an HTTP/1.1 server that gives a request a thread only once all of
it is here, and keeps none for a caller who is slow to take the answer.

One event loop per process waits for all connections; `limits` says how long for. Knows nothing of
Django but that it is a WSGI application, and asks a `Gate` who may send a large body.
"""
