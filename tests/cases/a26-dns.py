# A name server for tests/e2e/61-name-resolution.sh: SERVFAIL below corp.test, the given code for AAAA, one A record,
# NXDOMAIN for the rest; prints each question. Arguments: address, code for AAAA (4 NOTIMP, 2 SERVFAIL), or "silent".
import socket
import sys

address, how = sys.argv[1], sys.argv[2]
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((address, 53))
print("ready", flush=True)
while True:
    q, peer = s.recvfrom(512)
    i, labels = 12, []
    while q[i]:
        labels.append(q[i + 1:i + 1 + q[i]].decode("latin-1").lower())
        i += 1 + q[i]
    question, kind, name = q[12:i + 5], q[i + 2], ".".join(labels)
    a = b"\xc0\x0c\0\x01\0\x01\0\0\0\x1e\0\x04\x7f\0\0\x02" if (name, kind) == ("dts.region.test", 1) else b""
    rcode = 2 if name.endswith("corp.test") else 0 if a else 3
    if kind == 28 and how != "silent":
        rcode = int(how)
    print(name, {1: "A", 28: "AAAA"}.get(kind, kind), rcode, flush=True)
    if how != "silent":
        s.sendto(q[:2] + bytes([0x81, 0x80 | rcode]) + b"\0\x01" + bytes([0, 1 if a else 0]) + b"\0\0\0\0" + question + a, peer)
