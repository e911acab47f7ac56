#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the ledgers of this folder: NAME/ledger.jsonl for each function below. Amounts are whole,
so that what reports say of them can be reckoned by hand."""

import datetime
import json
import pathlib
import sys

S = 1_000_000
BEGIN = 1_795_341_600 * S  # 2026-11-22T10:00:00Z
TABLE = []
for value in range(256):
    for _ in range(8):
        value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    TABLE.append(value)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


class Ledger:
    def __init__(self, boot="72915d91"):
        self.lines, self.seq, self.boot = [], 0, boot

    def put(self, kind, us, version=1, **rest):
        self.seq += 1
        moment = datetime.datetime.fromtimestamp(us // S, datetime.timezone.utc)
        text = f"{moment:%Y-%m-%dT%H:%M:%S}.{us % S:06d}Z"
        record = {"v": version, "k": kind, "seq": self.seq, "t": text, "us": us, "boot": self.boot}
        record.update(rest)
        line = json.dumps(record, separators=(",", ":"))[:-1]
        self.lines.append(f'{line},"crc":"{crc32c(line.encode()):08x}"}}\n')


def add(sums, new):
    for key, amount in new.items():
        sums[key] = sums.get(key, 0) + amount


class Tenant:
    """What it does in one minute goes to `minute`; the records have the totals."""

    def __init__(self, name, contract, entitled, cgroup):
        self.name, self.contract, self.cgroup = name, contract, cgroup
        self.entitled = entitled  # millionths of a CPU
        self.cpu, self.mem, self.disk, self.win = {"use": 7 * S}, {"cur": 64 << 20, "bytesus": 0}, {}, {"n": 0}
        self.iop, self.pids = {"some": 0, "full": 0}, {"cur": 3, "peak": 9, "refused": 0}
        self.blame, self.device = {}, "254:0"

    def minute(self, used, cls="within", memory=64 << 20, mem=None, disk=None, iop=None, blame=None, refused=0, **cpu):
        ent = self.entitled * 60
        add(self.cpu, {"use": used, "usr": used - used // 4, "sys": used // 4, "ent": ent})
        add(self.cpu, {"bor": max(0, used - ent), "unu": max(0, ent - used)})
        cpu["self"] = cpu.pop("own", 0)
        add(self.cpu, cpu)
        add(self.mem, mem or {})
        self.mem["cur"] = memory
        self.mem["peak"] = max(memory + (1 << 20), self.mem.get("peak", 0))
        self.mem["bytesus"] += memory * 60 * S
        add(self.disk, disk or {"rb": 1 << 20, "ro": 16})
        add(self.iop, iop or {})
        add(self.win, {"n": 60, cls: 60})
        add(self.blame, blame or {})
        self.pids["refused"] += refused
        self.cls = {"atcap": "at-cap", "starved": "host-starved"}.get(cls, cls)
        return used

    def record(self, ledger, us, winus):
        ledger.put(
            "sample", us, cg=self.cgroup, tenant=self.name, contract=self.contract, entmicro=self.entitled,
            winus=winus, cls=getattr(self, "cls", "idle"), cpu=self.cpu, mem=self.mem,
            io=[{"d": self.device, **self.disk}], iop=self.iop, pids=self.pids, win=self.win,
            blame=[{"by": by, "us": amount} for by, amount in self.blame.items()],
        )  # fmt: skip


class Host:
    def __init__(self, cpus=2):
        self.total = {"cap": 0, "res": 0, "ten": 0, "own": 0, "idle": 0, "steal": 0, "cpus": cpus}
        self.meter = 0

    def minute(self, tenants, own=1 * S, steal=0):
        capacity = self.total["cpus"] * 60 * S
        idle = capacity - tenants - own - steal
        add(self.total, {"cap": capacity, "res": capacity // 10, "ten": tenants, "own": own})
        add(self.total, {"idle": idle, "steal": steal})
        self.meter += 12000

    def record(self, ledger, us, winus):
        ledger.put("host", us, id="meter", winus=winus, cpu={"use": self.meter}, host=self.total)


def sweep(ledger, tenants, host, us, winus):
    for tenant in tenants:
        tenant.record(ledger, us, winus)
    host.record(ledger, us, winus)


def two_tenants():
    """Ten minutes: five calm ones, then globex is hungry and acme falls short for three of them."""
    ledger, host = Ledger(), Host()
    acme = Tenant("acme", "elastic 0.5", 500000, 4001)
    globex = Tenant("globex", "elastic 1 ceiling 2", 1000000, 4002)
    ledger.put("head", BEGIN, kernel="6.12.95", host=host.total)
    sweep(ledger, [acme, globex], host, BEGIN, 0)
    web = {"cg": 4101, "tenant": "acme", "id": "web", "created": "2026-11-22T10:00:29.5Z"}
    ledger.put("start", BEGIN + 30 * S, **web, group={"cg": 4001, "use": 9 * S, "usr": 8 * S, "sys": 1 * S})
    for minute in range(1, 11):
        us = BEGIN + minute * 60 * S
        if minute == 8:
            ledger.put("note", us - 5 * S, tenant="acme", count=2, text="oom: processes were killed at a memory limit")
        if minute == 9:
            ledger.put(
                "exit", us - 30 * S, **web, status=3, winus=480 * S,
                cpu={"use": 100 * S, "usr": 80 * S, "sys": 20 * S}, mem={"cur": 0, "peak": 80 << 20},
                group={"cg": 4001, "use": acme.cpu["use"] + 10 * S, "usr": 1, "sys": 1},
            )  # fmt: skip
        if minute <= 5 or minute > 8:
            used = acme.minute(20 * S, some=1 * S, full=S // 2)
            used += globex.minute(6 * S, "idle")
        else:
            used = acme.minute(
                18 * S, "victim", short=9 * S, shortmax=12 * S, wait=11 * S, full=11 * S, some=13 * S, own=2 * S,
                mem={"oomkill": 2, "oom": 2} if minute == 8 else None, blame={"globex": 8 * S, "host": 1 * S},
            )  # fmt: skip
            used += globex.minute(95 * S, "borrowing", lent=0, some=20 * S, full=1 * S)
        host.minute(used)
        sweep(ledger, [acme, globex], host, us, 60 * S)
    return ledger


def causes():
    """One tenant for each cause, and one that has nothing to complain of; ten minutes."""
    ledger, host = Ledger(), Host(cpus=16)
    names = "fine capped threads squeezed diskwait diskhog memwait memhog memlimit forks starved ownio disklimit".split()
    tenants = {name: Tenant(name, "fixed 0.5", 500000, 5000 + i) for i, name in enumerate(names)}
    tenants["ownio"].device = "254:16"
    ledger.put("head", BEGIN, kernel="6.12.95", host=host.total)
    sweep(ledger, tenants.values(), host, BEGIN, 0)
    for minute in range(1, 11):
        t, used = tenants, 0
        used += t["fine"].minute(10 * S, some=S // 10)
        used += t["capped"].minute(30 * S, "atcap", thr=60 * S, nthr=590, nper=600, full=30 * S, some=31 * S, own=1 * S)
        used += t["threads"].minute(29 * S, some=40 * S, full=1 * S // 10, own=39 * S)
        used += t["squeezed"].minute(45 * S, "squeezed", wait=20 * S, full=20 * S, some=30 * S, own=10 * S)
        used += t["diskwait"].minute(2 * S, disk={"rb": 4 << 20, "ro": 100}, iop={"some": 41 * S, "full": 40 * S})  # fmt: skip
        used += t["diskhog"].minute(9 * S, disk={"wb": 8 << 30, "wo": 9000}, iop={"some": 50 * S, "full": 3 * S})
        used += t["memwait"].minute(2 * S, mem={"some": 20 * S, "full": 15 * S, "reff": 5000})
        used += t["memhog"].minute(5 * S, memory=(64 + 512 * min(minute, 3)) << 20)  # and sits on it
        used += t["memlimit"].minute(2 * S, mem={"high": 900, "max": 40, "some": 40 * S, "full": 36 * S, "refa": 9000})
        used += t["forks"].minute(2 * S, refused=5)
        used += t["starved"].minute(20 * S, "starved", short=9 * S, shortmax=10 * S, wait=9 * S, full=9 * S, some=9 * S)
        used += t["ownio"].minute(2 * S, disk={"rb": 9 << 30, "ro": 9000}, iop={"some": 41 * S, "full": 30 * S})
        used += t["disklimit"].minute(2 * S, disk={"rb": 40 << 20, "ro": 400}, iop={"some": 41 * S, "full": 40 * S, "cap": 38 * S})  # fmt: skip
        host.minute(used, own=100 * S, steal=20 * S)
        sweep(ledger, tenants.values(), host, BEGIN + minute * 60 * S, 60 * S)
    return ledger


def main():
    here = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    for name, make in {"two-tenants": two_tenants, "causes": causes}.items():
        (here / name).mkdir(parents=True, exist_ok=True)
        (here / name / "ledger.jsonl").write_text("".join(make().lines))


main()
