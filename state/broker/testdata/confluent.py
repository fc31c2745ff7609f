"""librdkafka, through confluent-kafka, against the broker at argv[1]: admin, producers of each codec, groups, transactions.

Ends with exit code 1 and the line that failed when the broker answers otherwise than Kafka does; prints one line for each part that holds.
"""
import sys
import threading
import time

from confluent_kafka import (OFFSET_BEGINNING, Consumer, ConsumerGroupTopicPartitions, KafkaException, Producer,
                             TopicPartition)
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic,
                                   OffsetSpec)

address, protocol = sys.argv[1], sys.argv[2]
base = {"bootstrap.servers": address}
admin = AdminClient(base)
timeout = 30


def done(futures):
    return {key: f.result(timeout) for key, f in futures.items()}


def consumer(group, **more):
    conf = dict(base, **{"group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False,
                         "group.protocol": protocol})
    if protocol == "classic":
        conf["session.timeout.ms"] = 6000
        conf["heartbeat.interval.ms"] = 200
    conf.update(more)
    return Consumer(conf)


def drain(c, n, seconds=timeout):
    """Polls until n records are there."""
    out, end = [], time.time() + seconds
    while len(out) < n and time.time() < end:
        m = c.poll(0.2)
        if m is None:
            continue
        assert m.error() is None, m.error()
        out.append(m)
    assert len(out) == n, f"{len(out)} of {n} records"
    return out


def topics():
    done(admin.create_topics([NewTopic("made", 2, 1, config={"retention.ms": "1234567"})]))
    try:
        done(admin.create_topics([NewTopic("made", 2, 1)]))
        raise AssertionError("made twice")
    except KafkaException as e:
        assert e.args[0].name() == "TOPIC_ALREADY_EXISTS", e
    done(admin.create_partitions([NewPartitions("made", 4)]))
    # A request that another connection carries may be answered from before: the count is asked until it is there.
    for _ in range(50):
        meta = admin.list_topics("made", timeout).topics["made"]
        if len(meta.partitions) == 4:
            break
        time.sleep(0.1)
    assert len(meta.partitions) == 4 and meta.partitions[3].isrs == [meta.partitions[3].leader], meta.partitions
    res = ConfigResource(ConfigResource.Type.TOPIC, "made")
    assert done(admin.describe_configs([res]))[res]["retention.ms"].value == "1234567"
    change = ConfigResource(ConfigResource.Type.TOPIC, "made", incremental_configs=[
        ConfigEntry("retention.ms", "7654321", incremental_operation=AlterConfigOpType.SET)])
    done(admin.incremental_alter_configs([change]))
    assert done(admin.describe_configs([res]))[res]["retention.ms"].value == "7654321"
    cluster = admin.describe_cluster().result(timeout)
    assert len(cluster.nodes) == 1 and cluster.cluster_id, cluster
    done(admin.delete_topics(["made"]))


def produce():
    seen = []
    for i, codec in enumerate(["none", "gzip", "snappy", "lz4", "zstd"]):
        p = Producer(dict(base, **{"compression.type": codec, "enable.idempotence": True, "linger.ms": 5}))
        for j in range(200):
            value = None if j == 199 else f"{codec} {j} ".encode() * 20
            p.produce("codecs", value, key=codec.encode(), partition=0, headers={"n": str(j).encode()},
                      on_delivery=lambda err, m: seen.append((err, m.offset())))
        assert p.flush(timeout) == 0
    assert all(err is None for err, _ in seen), seen
    assert [o for _, o in seen] == list(range(1000)), "acknowledged out of order"
    c = consumer("codecs")
    c.assign([TopicPartition("codecs", 0, OFFSET_BEGINNING)])
    got = drain(c, 1000)
    assert [m.offset() for m in got] == list(range(1000))
    assert got[999].value() is None and got[999].headers() == [("n", b"199")] and got[999].key() == b"zstd"
    assert c.get_watermark_offsets(TopicPartition("codecs", 0)) == (0, 1000)
    when = got[500].timestamp()[1]
    at = c.offsets_for_times([TopicPartition("codecs", 0, when)])[0].offset
    assert got[at].timestamp()[1] >= when and (at == 0 or got[at - 1].timestamp()[1] < when), at
    c.close()


def offsets():
    tp = TopicPartition("codecs", 0)
    assert done(admin.list_offsets({tp: OffsetSpec.latest()}))[tp].offset == 1000
    done(admin.delete_records([TopicPartition("codecs", 0, 300)]))
    assert done(admin.list_offsets({tp: OffsetSpec.earliest()}))[tp].offset == 300
    c = consumer("offsets")
    c.commit(offsets=[TopicPartition("codecs", 0, 400)], asynchronous=False)
    assert c.committed([tp], timeout)[0].offset == 400
    c.close()
    group = ConsumerGroupTopicPartitions("offsets", [TopicPartition("codecs", 0, 350)])
    done(admin.alter_consumer_group_offsets([group]))
    asked = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions("offsets", [tp])])
    assert asked["offsets"].result(timeout).topic_partitions[0].offset == 350
    assert "offsets" in [g.group_id for g in admin.list_consumer_groups().result(timeout).valid]
    done(admin.delete_consumer_groups(["offsets"]))


def groups():
    """Two members share six partitions, one leaves, the other has all; nothing is lost and nothing is read twice after a commit."""
    done(admin.create_topics([NewTopic("shared", 6, 1)]))
    total = 3000
    p = Producer(base)
    for i in range(total):
        p.produce("shared", str(i).encode(), partition=i % 6)
        if i % 500 == 0:
            p.poll(0)
    assert p.flush(timeout) == 0
    seen, owned, lock, stop = [], {}, threading.Lock(), threading.Event()
    moved = {"ILLEGAL_GENERATION", "REBALANCE_IN_PROGRESS", "UNKNOWN_MEMBER_ID", "STALE_MEMBER_EPOCH", "_ASSIGNMENT_LOST"}
    more = {"partition.assignment.strategy": "cooperative-sticky"} if protocol == "classic" else {}

    def member(name, end):
        c = consumer("workers", **more)
        c.subscribe(["shared"])
        while not end.is_set():
            m = c.poll(0.1)
            with lock:
                owned[name] = len(c.assignment())
            if m is None:
                continue
            assert m.error() is None, m.error()
            with lock:
                seen.append(int(m.value()))
            try:
                c.commit(m, asynchronous=False)
            except KafkaException as e:
                # The group moved on between the poll and the commit: the partition's next owner reads the record again.
                assert e.args[0].name() in moved, e
        c.close()
        with lock:
            owned[name] = 0

    def until(what, check):
        end = time.time() + timeout
        while time.time() < end:
            with lock:
                if check():
                    return
            time.sleep(0.05)
        raise AssertionError(f"{what}: {owned}, {len(seen)} records")

    leave = threading.Event()
    a = threading.Thread(target=member, args=("a", leave), daemon=True)
    b = threading.Thread(target=member, args=("b", stop), daemon=True)
    a.start()
    until("a alone", lambda: owned.get("a") == 6)
    b.start()
    until("a and b", lambda: owned.get("a") == 3 and owned.get("b") == 3)
    described = done(admin.describe_consumer_groups(["workers"]))["workers"]
    assert len(described.members) == 2, described.members
    leave.set()
    a.join()
    until("b alone", lambda: owned.get("b") == 6)
    until("all read", lambda: len(set(seen)) == total)
    stop.set()
    b.join()
    # A member that loses a partition between reading a record and committing it has read it for nothing: a few at most.
    assert len(seen) - total <= 24, f"{len(seen) - total} records twice"


def transactions():
    done(admin.create_topics([NewTopic("out", 1, 1)]))
    p = Producer(dict(base, **{"transactional.id": "python", "transaction.timeout.ms": 20000}))
    p.init_transactions(timeout)
    for n in range(10):
        p.begin_transaction()
        for i in range(10):
            p.produce("out", f"{n}.{i}".encode())
        c = consumer("eos")
        c.assign([TopicPartition("codecs", 0)])
        p.send_offsets_to_transaction([TopicPartition("codecs", 0, 500 + n)], c.consumer_group_metadata(), timeout)
        if n % 2:
            p.abort_transaction(timeout)
        else:
            p.commit_transaction(timeout)
        c.close()
    c = consumer("reader", **{"isolation.level": "read_committed"})
    c.subscribe(["out"])
    got = [m.value().decode() for m in drain(c, 50)]
    assert got == [f"{n}.{i}" for n in range(0, 10, 2) for i in range(10)], got
    assert c.poll(1) is None
    c.close()
    c = consumer("eos")
    assert c.committed([TopicPartition("codecs", 0)], timeout)[0].offset == 508
    c.close()
    # A second producer of the same id fences the first.
    q = Producer(dict(base, **{"transactional.id": "python"}))
    q.init_transactions(timeout)
    try:
        p.begin_transaction()
        p.produce("out", b"of a zombie")
        p.commit_transaction(timeout)
        raise AssertionError("a fenced producer commits")
    except KafkaException as e:
        assert e.args[0].fatal(), e
    q.begin_transaction()
    q.produce("out", b"of the second")
    q.commit_transaction(timeout)


for part in [topics, produce, offsets, groups, transactions]:
    part()
    print(part.__name__, "ok", flush=True)
