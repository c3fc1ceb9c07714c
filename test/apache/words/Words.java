import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs Apache Kafka's tools one after the other in one JVM, for a JVM of its own costs each of them a second of a processor.
 * Reads a JSON object a line (class, args, input), answers with one (code, out, err).
 */
public class Words {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** One run: the first exit counts, and what was written until then. */
    private static class Run {
        final ByteArrayOutputStream out = new ByteArrayOutputStream();
        final ByteArrayOutputStream err = new ByteArrayOutputStream();
        final List<Runnable> hooks = new ArrayList<>();
        final CountDownLatch ended = new CountDownLatch(1);
        final ObjectNode answer = JSON.createObjectNode();
        boolean exiting = false;

        boolean end(int code) {
            List<Runnable> toRun;
            synchronized (this) {
                if (exiting) return false;
                exiting = true;
                toRun = new ArrayList<>(hooks);
            }
            for (Runnable hook : toRun) {
                try {
                    hook.run();
                } catch (Throwable e) {
                    e.printStackTrace();
                }
            }
            System.out.flush();
            System.err.flush();
            answer.put("code", code);
            answer.put("out", out.toString(StandardCharsets.UTF_8));
            answer.put("err", err.toString(StandardCharsets.UTF_8));
            ended.countDown();
            return true;
        }
    }

    /** Writes into the run that is under way. */
    private static class Switch extends OutputStream {
        private final Function<Run, OutputStream> target;

        Switch(Function<Run, OutputStream> target) {
            this.target = target;
        }

        @Override
        public void write(int b) throws IOException {
            target.apply(current).write(b);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            target.apply(current).write(bytes, offset, length);
        }
    }

    private static volatile Run current;

    /** A real exit never comes back. */
    private static void exit(int code) {
        current.end(code);
        for (;;) {
            try {
                Thread.sleep(Long.MAX_VALUE);
            } catch (InterruptedException e) {
                // Whoever called exit does not go on.
            }
        }
    }

    public static void main(String[] args) throws Exception {
        PrintStream answers = System.out;
        Exit.setExitProcedure((code, message) -> exit(code));
        Exit.setHaltProcedure((code, message) -> exit(code));
        Exit.setShutdownHookAdder((name, hook) -> current.hooks.add(hook));
        // Set once: Scala's Console keeps what it finds.
        System.setOut(new PrintStream(new Switch(run -> run.out), true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(new Switch(run -> run.err), true, StandardCharsets.UTF_8));
        InputStream in = System.in;
        BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            JsonNode wanted = JSON.readTree(line);
            Run run = new Run();
            current = run;
            System.setIn(new ByteArrayInputStream(wanted.get("input").asText().getBytes(StandardCharsets.UTF_8)));
            List<String> typed = new ArrayList<>();
            wanted.get("args").forEach(each -> typed.add(each.asText()));
            Thread thread = new Thread(() -> run.end(call(wanted.get("class").asText(), typed.toArray(new String[0]))), "tool");
            thread.setDaemon(true);
            thread.start();
            if (!run.ended.await(wanted.get("timeoutMs").asLong(), TimeUnit.MILLISECONDS)) {
                for (StackTraceElement each : thread.getStackTrace()) System.err.println("\tat " + each);
                run.end(-1);
            }
            answers.println(JSON.writeValueAsString(run.answer));
            answers.flush();
        }
        Runtime.getRuntime().halt(0);
    }

    /** What the JVM would exit with. */
    private static int call(String name, String[] args) {
        try {
            Class<?> tool = Class.forName(name);
            forget(tool, "messageCount");
            tool.getMethod("main", String[].class).invoke(null, (Object) args);
            return 0;
        } catch (InvocationTargetException e) {
            System.err.print("Exception in thread \"main\" ");
            e.getCause().printStackTrace();
            return 1;
        } catch (ReflectiveOperationException e) {
            System.err.println(e);
            return -2;
        }
    }

    /** ConsoleConsumer counts in a static field. */
    private static void forget(Class<?> tool, String name) throws IllegalAccessException {
        try {
            Field field = tool.getDeclaredField(name);
            field.setAccessible(true);
            field.setInt(null, 0);
        } catch (NoSuchFieldException e) {
            // Most tools have none.
        }
    }
}
