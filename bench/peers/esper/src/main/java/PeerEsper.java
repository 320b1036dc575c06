import com.espertech.esper.common.client.EPCompiled;
import com.espertech.esper.common.client.configuration.Configuration;
import com.espertech.esper.compiler.client.CompilerArguments;
import com.espertech.esper.compiler.client.EPCompilerProvider;
import com.espertech.esper.runtime.client.EPRuntime;
import com.espertech.esper.runtime.client.EPRuntimeProvider;
import com.espertech.esper.runtime.client.EPStatement;
import java.io.BufferedReader;
import java.io.FileReader;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;

/**
 * Runs Esper over a file of events as ours.c runs our engine, and prints one line of figures.
 *
 * Esper has no event time: its clock is set to an event's time, and stays where it is when an event is older. CPU time is
 * that of the whole process, collector and compiler threads included, because a heap is part of the price.
 */
public final class PeerEsper {
    private static long alerts;
    private static long line;
    private static String time;

    private static double cpuSeconds() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime() / 1e9;
    }

    private static long peakKb() throws Exception {
        for (String s : Files.readAllLines(Path.of("/proc/self/status")))
            if (s.startsWith("VmHWM:"))
                return Long.parseLong(s.replaceAll("[^0-9]", ""));
        return 0;
    }

    /** The text of a key, without parsing the rest: Esper parses the event itself. */
    private static String key(String json, String name) {
        int at = json.indexOf("\"" + name + "\":\"");
        return at < 0 ? "" : json.substring(at + name.length() + 4, json.indexOf('"', at + name.length() + 4));
    }

    public static void main(String[] args) throws Exception {
        String rules = "", events = "", epl = System.getProperty("epl");
        PrintWriter out = null;
        double cpuMax = 0;
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--rules" -> rules = args[++i];
                case "--events" -> events = args[++i];
                case "--out" -> out = new PrintWriter(args[++i]);
                case "--cpu-max" -> cpuMax = Double.parseDouble(args[++i]);
                case "--windows" -> { }
                default -> throw new IllegalArgumentException(args[i]);
            }
        }
        String name = Path.of(rules).getFileName().toString().replaceAll("\\.yml$", ".epl");
        Configuration configuration = new Configuration();
        configuration.getRuntime().getThreading().setInternalTimerEnabled(false);
        EPCompiled compiled = EPCompilerProvider.getCompiler().compile(Files.readString(Path.of(epl, name)), new CompilerArguments(configuration));
        EPRuntime runtime = EPRuntimeProvider.getDefaultRuntime(configuration);
        final PrintWriter sink = out;
        for (EPStatement s : runtime.getDeploymentService().deploy(compiled).getStatements()) {
            s.addListener((fresh, old, statement, r) -> {
                for (int i = 0; fresh != null && i < fresh.length && fresh[i].getEventType().isProperty("g"); i++) {
                    alerts++;
                    if (sink != null)
                        sink.printf("{\"line\":%d,\"rule\":\"%s\",\"group\":[\"%s\"],\"value\":%s,\"time\":\"%s\"}%n", line, statement.getName(),
                            fresh[i].get("g"), fresh[i].get("v"), time);
                }
            });
        }
        long now = 0, count = 0;
        boolean cut = false;
        double from = cpuSeconds();
        try (BufferedReader reader = new BufferedReader(new FileReader(events), 1 << 20)) {
            for (String json; (json = reader.readLine()) != null;) {
                line++;
                String stamp = key(json, "time");
                if (!stamp.equals(time)) {
                    time = stamp;
                    long at = Instant.parse(stamp).toEpochMilli();
                    if (at > now)
                        runtime.getEventService().advanceTime(now = at);
                }
                runtime.getEventService().sendEventJson(json, "Event");
                count++;
                if (cpuMax > 0 && count % 256 == 0 && cpuSeconds() - from > cpuMax) {
                    cut = true;
                    break;
                }
            }
        }
        double took = cpuSeconds() - from;
        if (out != null)
            out.close();
        System.out.printf("{\"engine\":\"Esper 9.0.0\",\"events\":%d,\"cpu_s\":%.6f,\"load_s\":0,\"peak_kb\":%d,\"rules\":1,\"matches\":0,\"alerts\":%d,\"cut\":%b}%n",
            count, took, peakKb(), alerts, cut);
        System.exit(0);
    }
}
