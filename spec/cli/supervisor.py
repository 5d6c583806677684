"""A supervisor that speaks sd_notify: prints each message of the socket as a line of JSON. Usage: supervisor.py SOCKET"""

import array
import json
import os
import socket
import sys
import time

FDS = 8

sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sock.bind(sys.argv[1])
print('listening', flush=True)
while True:
    data, ancillary, _, _ = sock.recvmsg(4096, socket.CMSG_SPACE(FDS * array.array('i').itemsize))
    at = round(time.time() * 1000)
    fields = dict(line.split('=', 1) for line in data.decode().splitlines())
    # Whoever sent BARRIER=1 waits until its descriptor is closed, by when all that came before has been read.
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds = array.array('i')
            fds.frombytes(content)
            for fd in fds:
                os.close(fd)
    if 'BARRIER' not in fields:
        print(json.dumps({'at': at, 'fields': fields}), flush=True)
