// A copier of Apache's Java client: java -cp "JARS/*" Copy.java BOOTSTRAP CLIENT GROUP INPUT OUTPUT TRANSACTIONAL_ID TRANSACTION_TIMEOUT SESSION_TIMEOUT HOLD
// See job.ts for what it says.
import java.time.Duration;
import java.util.*;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;

public class Copy {
  static void say(String line) {
    System.out.println(line);
    System.out.flush();
  }

  public static void main(String[] args) {
    AtomicBoolean going = new AtomicBoolean(true);
    Thread waiter = new Thread(() -> {
      try {
        while (System.in.read() >= 0) { }
      } catch (java.io.IOException e) { }
      going.set(false);
    });
    waiter.setDaemon(true);
    waiter.start();
    Properties c = new Properties();
    c.put("bootstrap.servers", args[0]);
    c.put("client.id", args[1]);
    c.put("group.id", args[2]);
    c.put("enable.auto.commit", "false");
    c.put("auto.offset.reset", "earliest");
    c.put("isolation.level", "read_committed");
    c.put("session.timeout.ms", args[7]);
    c.put("heartbeat.interval.ms", "500");
    c.put("max.poll.records", "40");
    c.put("key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
    c.put("value.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
    Properties p = new Properties();
    p.put("bootstrap.servers", args[0]);
    p.put("client.id", args[1]);
    p.put("transactional.id", args[5]);
    p.put("transaction.timeout.ms", args[6]);
    p.put("key.serializer", "org.apache.kafka.common.serialization.StringSerializer");
    p.put("value.serializer", "org.apache.kafka.common.serialization.StringSerializer");
    int n = 0;
    try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(c); KafkaProducer<String, String> producer = new KafkaProducer<>(p)) {
      producer.initTransactions();
      consumer.subscribe(List.of(args[3]));
      while (going.get()) {
        ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(100));
        if (records.isEmpty()) continue;
        producer.beginTransaction();
        say("begin " + n);
        try {
          Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
          for (ConsumerRecord<String, String> each : records) {
            producer.send(new ProducerRecord<>(args[4], each.partition(), each.key(), each.value() + "*"));
            offsets.put(new TopicPartition(each.topic(), each.partition()), new OffsetAndMetadata(each.offset() + 1));
          }
          producer.flush();
          say("sent " + n);
          Thread.sleep(Long.parseLong(args[8]));
          producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
          producer.commitTransaction();
          say("commit " + n);
          n++;
        } catch (org.apache.kafka.common.errors.ProducerFencedException | org.apache.kafka.common.errors.OutOfOrderSequenceException fatal) {
          throw fatal;
        } catch (org.apache.kafka.common.KafkaException e) {
          producer.abortTransaction();
          say("abort " + n);
          throw e;
        }
      }
    } catch (Exception e) {
      say("failed " + String.valueOf(e).replaceAll("\\s+", " "));
      System.exit(3);
    }
  }
}
