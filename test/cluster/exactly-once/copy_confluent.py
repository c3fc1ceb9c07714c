"""A copier of confluent-kafka. See job.ts for what it is told and what it says."""
import faulthandler
import json
import sys
import threading
import time

from confluent_kafka import Consumer, KafkaException, Producer

# Longer than any broker is away. Who gets nowhere so long says where, and ends.
STUCK_S = 75

job = json.loads(sys.argv[1])
going = True


def wait_for_end():
    global going
    sys.stdin.read()
    going = False


def say(line):
    sys.stdout.write(line + '\n')
    sys.stdout.flush()


def give(error):
    say('failed %s' % ' '.join(str(error).split()))
    sys.exit(3)


def finally_done(call, *args):
    """Calls until there is a final answer."""
    while True:
        try:
            return call(*args)
        except KafkaException as error:
            if not error.args[0].retriable():
                raise
            time.sleep(0.1)


threading.Thread(target=wait_for_end, daemon=True).start()
consumer = Consumer({
    'bootstrap.servers': job['bootstrap'], 'group.id': job['group'], 'client.id': job['client'], 'enable.auto.commit': False,
    'auto.offset.reset': 'earliest', 'isolation.level': 'read_committed', 'session.timeout.ms': job['sessionTimeoutMs'],
    'heartbeat.interval.ms': 500, 'max.poll.interval.ms': 30000, 'reconnect.backoff.max.ms': 1000, 'topic.metadata.refresh.interval.ms': 5000,
})
producer = Producer({
    'bootstrap.servers': job['bootstrap'], 'client.id': job['client'], 'transactional.id': job['transactionalId'],
    'transaction.timeout.ms': job['transactionTimeoutMs'], 'reconnect.backoff.max.ms': 1000, 'topic.metadata.refresh.interval.ms': 5000,
    'linger.ms': 1,
})
n = 0
try:
    finally_done(producer.init_transactions, 20)
    consumer.subscribe([job['input']])
    while going:
        faulthandler.dump_traceback_later(STUCK_S, exit=True)
        messages = [each for each in consumer.consume(40, 0.1) if each.error() is None]
        if not messages:
            continue
        producer.begin_transaction()
        say('begin %d' % n)
        for each in messages:
            producer.produce(job['output'], each.value() + b'*', each.key(), each.partition())
        producer.flush(20)
        say('sent %d' % n)
        time.sleep(job['holdMs'] / 1000)
        positions = [each for each in consumer.position(consumer.assignment()) if each.offset >= 0]
        finally_done(producer.send_offsets_to_transaction, positions, consumer.consumer_group_metadata(), 20)
        finally_done(producer.commit_transaction, 20)
        say('commit %d' % n)
        n += 1
except KafkaException as error:
    faulthandler.dump_traceback_later(STUCK_S, exit=True)
    if error.args[0].txn_requires_abort():
        try:
            finally_done(producer.abort_transaction, 20)
            say('abort %d' % n)
        except KafkaException as another:
            say('failed abort: %s' % ' '.join(str(another).split()))
    consumer.close()
    give(error)
consumer.close()
