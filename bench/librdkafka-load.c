/* A load by librdkafka, for the bench. Prints one line of JSON.
 *   produce BOOTSTRAP TOPIC BYTES COUNT ACKS
 *   consume BOOTSTRAP TOPIC PARTITIONS COUNT
 *   latency BOOTSTRAP TOPIC BYTES PARTITIONS RATE WARM_SECONDS SECONDS     RATE 0: one record at a time
 */
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static int64_t nowNs(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static double cpuSeconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void die(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *key, const char *value) {
  char error[256];
  if (rd_kafka_conf_set(conf, key, value, error, sizeof error) != RD_KAFKA_CONF_OK) die(key, error);
}

static int64_t delivered, failed;

static void onDelivery(rd_kafka_t *kafka, const rd_kafka_message_t *message, void *opaque) {
  (void)kafka;
  (void)opaque;
  if (message->err) {
    if (failed++ == 0) fprintf(stderr, "a record failed: %s\n", rd_kafka_err2str(message->err));
  } else {
    delivered++;
  }
}

static rd_kafka_t *client(rd_kafka_type_t type, rd_kafka_conf_t *conf, const char *bootstrap) {
  char error[256];
  set(conf, "bootstrap.servers", bootstrap);
  rd_kafka_t *kafka = rd_kafka_new(type, conf, error, sizeof error);
  if (kafka == NULL) die("client", error);
  return kafka;
}

/* So that what is measured begins with connections and metadata. */
static void learn(rd_kafka_t *kafka, const char *topic) {
  rd_kafka_topic_t *handle = rd_kafka_topic_new(kafka, topic, NULL);
  const struct rd_kafka_metadata *metadata;
  rd_kafka_resp_err_t error = rd_kafka_metadata(kafka, 0, handle, &metadata, 10000);
  if (error) die("metadata", rd_kafka_err2str(error));
  rd_kafka_metadata_destroy(metadata);
  rd_kafka_topic_destroy(handle);
}

static void produceOne(rd_kafka_t *kafka, rd_kafka_topic_t *topic, int32_t partition, void *value, size_t bytes) {
  while (rd_kafka_produce(topic, partition, RD_KAFKA_MSG_F_COPY, value, bytes, NULL, 0, NULL) != 0) {
    if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) die("produce", rd_kafka_err2str(rd_kafka_last_error()));
    rd_kafka_poll(kafka, 10);
  }
}

static int produce(char **arguments) {
  size_t bytes = atoll(arguments[2]);
  int64_t count = atoll(arguments[3]);
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  set(conf, "acks", arguments[4]);
  set(conf, "queue.buffering.max.messages", "1000000");
  rd_kafka_conf_set_dr_msg_cb(conf, onDelivery);
  rd_kafka_t *kafka = client(RD_KAFKA_PRODUCER, conf, arguments[0]);
  learn(kafka, arguments[1]);
  rd_kafka_topic_t *topic = rd_kafka_topic_new(kafka, arguments[1], NULL);
  char *value = malloc(bytes);
  memset(value, 'a', bytes);
  double cpu = cpuSeconds();
  int64_t start = nowNs();
  for (int64_t i = 0; i < count; i++) {
    produceOne(kafka, topic, RD_KAFKA_PARTITION_UA, value, bytes);
    if (i % 1000 == 0) rd_kafka_poll(kafka, 0);
  }
  while (delivered + failed < count) rd_kafka_poll(kafka, 100);
  double seconds = (nowNs() - start) / 1e9;
  printf("{\"seconds\":%.6f,\"clientCpuSeconds\":%.3f,\"failed\":%lld}\n", seconds, cpuSeconds() - cpu, (long long)failed);
  rd_kafka_topic_destroy(topic);
  rd_kafka_destroy(kafka);
  return failed > 0;
}

static rd_kafka_t *consumer(rd_kafka_conf_t *conf, const char *bootstrap, const char *topic, int partitions, int64_t offset) {
  set(conf, "group.id", "bench");
  set(conf, "enable.auto.commit", "false");
  set(conf, "auto.offset.reset", "earliest");
  rd_kafka_t *kafka = client(RD_KAFKA_CONSUMER, conf, bootstrap);
  learn(kafka, topic);
  rd_kafka_poll_set_consumer(kafka);
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
  for (int i = 0; i < partitions; i++) rd_kafka_topic_partition_list_add(list, topic, i)->offset = offset;
  rd_kafka_resp_err_t error = rd_kafka_assign(kafka, list);
  if (error) die("assign", rd_kafka_err2str(error));
  rd_kafka_topic_partition_list_destroy(list);
  return kafka;
}

static int consume(char **arguments) {
  enum { BATCH = 10000 };
  static rd_kafka_message_t *messages[BATCH];
  int64_t count = atoll(arguments[3]), read = 0, bytes = 0;
  double cpu = cpuSeconds();
  int64_t start = nowNs();
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  /* librdkafka 2.0 fetches nothing for a second when 100,000 records are queued: a fast broker would be measured asleep. */
  set(conf, "queued.min.messages", "10000000");
  set(conf, "queued.max.messages.kbytes", "2097151");
  rd_kafka_t *kafka = consumer(conf, arguments[0], arguments[1], atoi(arguments[2]), RD_KAFKA_OFFSET_BEGINNING);
  rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(kafka);
  while (read < count) {
    ssize_t got = rd_kafka_consume_batch_queue(queue, 1000, messages, BATCH);
    for (ssize_t i = 0; i < got; i++) {
      if (messages[i]->err) die("consume", rd_kafka_message_errstr(messages[i]));
      read++;
      bytes += messages[i]->len;
      rd_kafka_message_destroy(messages[i]);
    }
  }
  double seconds = (nowNs() - start) / 1e9;
  printf("{\"seconds\":%.6f,\"clientCpuSeconds\":%.3f,\"bytes\":%lld}\n", seconds, cpuSeconds() - cpu, (long long)bytes);
  fflush(stdout);
  rd_kafka_queue_destroy(queue);
  rd_kafka_consumer_close(kafka);
  rd_kafka_destroy(kafka);
  return 0;
}

struct Reader {
  const char *bootstrap, *topic;
  int partitions;
  int64_t *samples;
  volatile int64_t read, expected;
  volatile int ready;
  pthread_mutex_t lock;
  pthread_cond_t one;
};

static void *readAll(void *opaque) {
  struct Reader *reader = opaque;
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  set(conf, "socket.nagle.disable", "true");
  rd_kafka_t *kafka = consumer(conf, reader->bootstrap, reader->topic, reader->partitions, RD_KAFKA_OFFSET_END);
  reader->ready = 1;
  while (reader->expected < 0 || reader->read < reader->expected) {
    rd_kafka_message_t *message = rd_kafka_consumer_poll(kafka, 100);
    if (message == NULL) continue;
    if (message->err) die("consume", rd_kafka_message_errstr(message));
    int64_t sent;
    memcpy(&sent, message->payload, sizeof sent);
    pthread_mutex_lock(&reader->lock);
    if (sent > 0) reader->samples[reader->read++] = nowNs() - sent;
    else reader->ready = 2;
    pthread_cond_signal(&reader->one);
    pthread_mutex_unlock(&reader->lock);
    rd_kafka_message_destroy(message);
  }
  rd_kafka_consumer_close(kafka);
  rd_kafka_destroy(kafka);
  return NULL;
}

static int compare(const void *a, const void *b) {
  int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
  return left < right ? -1 : left > right;
}

static int latency(char **arguments) {
  size_t bytes = atoll(arguments[2]);
  int partitions = atoi(arguments[3]);
  int64_t rate = atoll(arguments[4]), warmNs = atoll(arguments[5]) * 1000000000LL, lengthNs = atoll(arguments[6]) * 1000000000LL;
  int64_t most = (rate > 0 ? rate : 50000) * (atoll(arguments[5]) + atoll(arguments[6]) + 1);
  struct Reader reader = {arguments[0], arguments[1], partitions, calloc(most, sizeof(int64_t)), 0, -1, 0,
                          PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER};
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  set(conf, "acks", "all");
  set(conf, "linger.ms", "0");
  set(conf, "socket.nagle.disable", "true");
  rd_kafka_conf_set_dr_msg_cb(conf, onDelivery);
  rd_kafka_t *kafka = client(RD_KAFKA_PRODUCER, conf, arguments[0]);
  learn(kafka, arguments[1]);
  rd_kafka_topic_t *topic = rd_kafka_topic_new(kafka, arguments[1], NULL);
  char *value = calloc(bytes, 1);
  pthread_t thread;
  pthread_create(&thread, NULL, readAll, &reader);
  struct timespec pause = {0, 20000000};
  /* Until one arrives the reader does not stand at the end yet. */
  while (reader.ready < 2) {
    if (reader.ready == 1)
      for (int i = 0; i < partitions; i++) produceOne(kafka, topic, i, value, bytes);
    rd_kafka_poll(kafka, 0);
    nanosleep(&pause, NULL);
  }
  for (int i = 0; i < 50; i++) nanosleep(&pause, NULL);
  int64_t start = nowNs(), sent = 0, firstMeasured = -1;
  while (sent < most && nowNs() < start + warmNs + lengthNs) {
    if (rate > 0) {
      int64_t due = start + sent * (1000000000LL / rate);
      struct timespec until = {due / 1000000000LL, due % 1000000000LL};
      clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    }
    int64_t now = nowNs();
    if (firstMeasured < 0 && now >= start + warmNs) firstMeasured = sent;
    memcpy(value, &now, sizeof now);
    produceOne(kafka, topic, sent % partitions, value, bytes);
    sent++;
    rd_kafka_poll(kafka, 0);
    if (rate == 0) {
      pthread_mutex_lock(&reader.lock);
      while (reader.read < sent) pthread_cond_wait(&reader.one, &reader.lock);
      pthread_mutex_unlock(&reader.lock);
    }
  }
  reader.expected = sent;
  pthread_join(thread, NULL);
  rd_kafka_flush(kafka, 10000);
  int64_t *samples = reader.samples + firstMeasured, count = sent - firstMeasured;
  qsort(samples, count, sizeof *samples, compare);
  printf("{\"count\":%lld,\"p50\":%.4f,\"p99\":%.4f,\"p999\":%.4f,\"worst\":%.4f}\n", (long long)count, samples[count / 2] / 1e6,
         samples[count * 99 / 100] / 1e6, samples[count * 999 / 1000] / 1e6, samples[count - 1] / 1e6);
  rd_kafka_topic_destroy(topic);
  rd_kafka_destroy(kafka);
  return failed > 0;
}

int main(int count, char **arguments) {
  if (count == 7 && strcmp(arguments[1], "produce") == 0) return produce(arguments + 2);
  if (count == 6 && strcmp(arguments[1], "consume") == 0) return consume(arguments + 2);
  if (count == 9 && strcmp(arguments[1], "latency") == 0) return latency(arguments + 2);
  fprintf(stderr, "see the head of the source for what to say\n");
  return 2;
}
