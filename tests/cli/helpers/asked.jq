# SPDX-License-Identifier: Apache-2.0
# What differs between config.json ($config) and what the probe found ($found), as a list of lines;
# $host is what the probe finds outside.
def known: "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
    NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT
    SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE
    AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ
    PERFMON BPF CHECKPOINT_RESTORE" | [splits("\\s+")] | map("CAP_" + .);

def hex_digit: if type == "number" then . else explode[0] | if . >= 97 then . - 87 else . - 48 end end;
# The names of the bits of sixteen hexadecimal digits, in the kernel's order.
def capability_names:
    (explode | reverse | map([.] | implode | hex_digit)) as $digits
    | [range(0; known | length) as $bit
       | select((($digits[($bit / 4) | floor] / pow(2; $bit % 4)) | floor) % 2 == 1) | known[$bit]] | sort;

def differ(what; asked; seen): if asked == seen then empty else "\(what): asked \(asked), found \(seen)" end;

def process($c; $f; $h):
    differ("args"; $c.process.args; $f.argv),
    differ("env"; ($c.process.env // []) | sort;
        $f.env | map(select(startswith("HOME=") | not)) | sort | . as $e
        | ($c.process.env // []) | map(select(startswith("HOME="))) as $home | $e + $home | sort),
    differ("HOME"; 1; $f.env | map(select(startswith("HOME="))) | length),
    differ("cwd"; $c.process.cwd; $f.cwd),
    differ("umask"; $c.process.user.umask // 18; $f.umask | explode | map(. - 48) | .[1] * 64 + .[2] * 8 + .[3]),
    ($f.uid | to_entries[] | differ("uid \(.key)"; $c.process.user.uid; .value)),
    ($f.gid | to_entries[] | differ("gid \(.key)"; $c.process.user.gid; .value)),
    differ("groups"; $c.process.user.additionalGids // [] | sort; $f.groups | sort),
    ("bounding", "effective", "permitted", "inheritable", "ambient"
        | differ("capabilities.\(.)"; $c.process.capabilities[.] // [] | sort; $f.capabilities[.] | capability_names)),
    differ("noNewPrivileges"; $c.process.noNewPrivileges // false; $f.no_new_privs == 1),
    differ("seccomp mode"; if $c.linux.seccomp then 2 else 0 end; $f.seccomp.mode),
    differ("oomScoreAdj"; $c.process.oomScoreAdj // ($h.oom_score_adj | tonumber); $f.oom_score_adj | tonumber),
    ($f.rlimits | to_entries[] | .key as $type | .value as $seen
        | (($c.process.rlimits // [])[] | select(.type == $type) | {soft, hard}) // $h.rlimits[$type]
        | differ($type; .; $seen)),
    differ("descriptors"; [0, 1, 2]; [$f.fds[].fd]);

def kinds: {pid: "pid", network: "net", ipc: "ipc", uts: "uts", mount: "mnt", cgroup: "cgroup",
    user: "user", time: "time"};
def namespaces($c; $f; $h):
    kinds | to_entries[] | .key as $type | .value as $file
    | differ("\($type) namespace is new"; [$c.linux.namespaces[].type] | any(. == $type);
        $f.namespaces[$file] != $h.namespaces[$file]);

# Flags as /proc/self/mountinfo shows them; a bind mount keeps those of its source otherwise.
def flags($options; $bind):
    ["ro", "nosuid", "nodev", "noexec", "nosymfollow"] | map(select(. as $w | $options | any(. == $w)))
    | if any(. == "ro") then . else . + ["rw"] end
    | if $options | any(. == "noatime") then . + ["noatime"]
      elif $bind or ($options | any(. == "strictatime") | not) then . + ["relatime"] else . end | sort;
def data_word: sub("^(?<k>mode|ptmxmode)=0+"; "\(.k)=") | sub("^size=67108864$"; "size=65536k");
def data($options): $options | map(select(test("^(mode|ptmxmode|gid|size)="))) | map(data_word)
    | map(select(. != "mode=1777"));

def mounts($c; $f):
    ($c.mounts | map(.destination)) as $asked
    | (($c.linux.maskedPaths // []) + ($c.linux.readonlyPaths // [])) as $sealed
    | differ("mounts"; ["/"] + $asked | sort;
        [$f.mounts[].target | select(. as $t | $sealed | any(. == $t) | not)] | sort),
    ($c.mounts[] | .destination as $at | .type as $type | (.options // []) as $o
        | ($o | any(. == "bind" or . == "rbind")) as $bind
        | [$f.mounts[] | select(.target == $at)] | last
        | if . == null then "\($at) is not mounted" else
            differ("type of \($at)"; if $bind then .type elif $type == "cgroup" then "cgroup2" else $type end; .type),
            differ("flags of \($at)"; flags($o; $bind); .options | sort),
            differ("propagation of \($at)"; []; .optional),
            (.super as $super | data($o)[] | select(. as $w | $super | any(. == $w) | not)
                | "data of \($at): asked \(.), found \($super)") end),
    differ("root is read-only"; $c.root.readonly // false;
        $f.mounts | map(select(.target == "/"))[0].options | any(. == "ro"));

def sealed($c; $f):
    ($c.linux.maskedPaths // [] | .[] | select($f.masked[.] | . != "empty" and . != "ENOENT")
        | "not masked: \(.) \($f.masked[.])"),
    ($c.linux.readonlyPaths // [] | .[] | select($f.readonly[.] | . != "EROFS" and . != "ENOENT")
        | "not read-only: \(.) \($f.readonly[.])"),
    (($c.linux.sysctl // {}) | to_entries[]
        | differ("sysctl \(.key)"; .value; $f.sysctl[.key] | gsub("\t"; " ")));

def nodes: {null: [1, 3], zero: [1, 5], full: [1, 7], random: [1, 8], urandom: [1, 9], tty: [5, 0]};
def links: {fd: "/proc/self/fd", stdin: "/proc/self/fd/0", stdout: "/proc/self/fd/1", stderr: "/proc/self/fd/2",
    ptmx: "pts/ptmx"};
def devices($f):
    ($f.devices | map({key: .name, value: .}) | from_entries) as $dev
    | (nodes | to_entries[] | differ("/dev/\(.key)"; ["char", .value, "0666", 0, 0];
        $dev[.key] | [.type, [.major, .minor], .mode, .uid, .gid])),
    (links | to_entries[] | differ("/dev/\(.key)"; .value; $dev[.key].target)),
    differ("names in /dev"; (nodes + links | keys) + ["pts", "shm", "mqueue"] | sort;
        $dev | keys | map(select(. != "core")) | sort);

def errnos: {"1": "EPERM", "38": "ENOSYS"};
# A call that no rule names, or one without conditions refuses, has its error from the profile.
def calls($c; $f):
    if $c.linux.seccomp == null then empty else
        $c.linux.seccomp as $profile | $f.syscalls | to_entries[] | .key as $name | .value as $seen
        | [$profile.syscalls[] | select(.names | any(. == $name))] as $rules
        | if $rules == [] then differ("call \($name)"; errnos[$profile.defaultErrnoRet // 1 | tostring]; $seen)
          elif $rules | all(.action == "SCMP_ACT_ERRNO" and (.args // []) == []) then
            differ("call \($name)"; errnos[$rules[0].errnoRet // 1 | tostring]; $seen)
          elif $rules | any(.action == "SCMP_ACT_ALLOW" and (.args // []) == []) then
            (if $seen == "ENOSYS" then "call \($name): allowed, found \($seen)" else empty end)
          else empty end
    end;

[process($config; $found; $host), namespaces($config; $found; $host), mounts($config; $found),
 sealed($config; $found), devices($found), calls($config; $found),
 differ("hostname"; $config.hostname // $host.hostname; $found.hostname)] | .[]
