"""The HTTP/1.1 server in front of Django. A request gets a thread only when all of it has arrived,
and keeps none while its caller is slow to take the answer.

One event loop per process waits for all connections; `limits` says for how long. It knows nothing
of Django except that it is a WSGI application, and asks a `Gate` who may send a large body.
"""
