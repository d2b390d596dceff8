"""Language runtimes with threads and loaders of their own, as Debian has them: Go, Java, Node."""
import pytest

pytestmark = pytest.mark.xdist_group("runtimes")

GO = """package main
import ("fmt"; "io"; "net"; "net/http"; "os"; "os/exec"; "os/user")
func main() {
  who, _ := user.Current(); id, err := exec.Command("id", "-u").Output(); fmt.Print(who.Username, " ", string(id))
  listener, _ := net.Listen("tcp", "127.0.0.1:0")
  go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("served")) }))
  reply, err := http.Get("http://" + listener.Addr().String()); body, _ := io.ReadAll(reply.Body)
  results := make(chan error)
  for i := 0; i < 200; i++ { go func() { _, err := os.Stat("/etc/passwd"); results <- err }() }
  for i := 0; i < 200; i++ { if e := <-results; e != nil { err = e } }
  fmt.Println(string(body), err)
}
"""

JAVA = """import java.nio.file.*; import java.util.*; import java.util.concurrent.*;
public class Main { public static void main(String[] words) throws Exception {
  System.out.println(System.getProperty("user.name") + " " + new ProcessBuilder("sh", "-c", "exit 3").start().waitFor());
  Path folder = Files.createTempDirectory("x"); Files.writeString(folder.resolve("f"), "text");
  Files.createSymbolicLink(folder.resolve("l"), Path.of("f"));
  System.out.println(Files.readString(folder.resolve("l")) + " " + Files.getOwner(folder.resolve("f")));
  ExecutorService pool = Executors.newFixedThreadPool(50); List<Future<Boolean>> all = new ArrayList<>();
  for (int i = 0; i < 5000; i++) all.add(pool.submit(() -> Files.exists(Path.of("/etc/passwd"))));
  int found = 0; for (Future<Boolean> one : all) if (one.get()) found++;
  pool.shutdown(); System.out.println(found);
} }
"""

NODE = """
const fs = require("fs"), http = require("http"), child = require("child_process"), { Worker } = require("worker_threads");
console.log(require("os").userInfo().username, process.execPath, child.execSync("id -un").toString().trim());
const ask = () => http.get({ port: server.address().port, host: "127.0.0.1" }, (r) => r.on("data", (d) => { console.log(d.toString()); server.close(work); }));
const server = http.createServer((q, r) => r.end("served")).listen(0, "127.0.0.1", ask);
const work = () => new Worker("require('worker_threads').parentPort.postMessage(require('fs').readFileSync('/etc/hostname').length >= 0)", { eval: true })
  .on("message", (m) => { console.log(m); spawn(20); });
const spawn = (n) => n === 0 ? console.log("done") : child.spawn("sh", ["-c", "exit 4"]).on("exit", (code) => code === 4 ? spawn(n - 1) : console.log(code));
"""


@pytest.fixture(scope="module")
def debian(guests):
    container = guests.fresh("bookworm")
    script = ("export DEBIAN_FRONTEND=noninteractive; echo guest > /etc/hostname; apt-get -q update && "
              "apt-get -q -y install --no-install-recommends golang-go gcc libc6-dev nodejs default-jdk-headless")
    outcome = container.run("sh", "-c", script)
    assert outcome.status == 0, outcome
    yield container
    guests.udocker.run("rm", "-f", container.id)


def test_packages_are_whole(debian):
    assert debian.run("dpkg", "-V").out == ""


def test_go(debian):
    script = 'cd "$(mktemp -d)"; cat > main.go; go mod init x 2>/dev/null; go vet . && go build -o x . && ./x && go run .'
    assert debian.sh(script, stdin=GO.encode()).splitlines() == ["root 0", "served <nil>"] * 2


def test_java(debian):
    script = 'cd "$(mktemp -d)"; cat > Main.java; javac Main.java && java Main && java -XX:+UseSerialGC Main.java'
    assert debian.sh(script, stdin=JAVA.encode()).splitlines() == ["root 3", "text root", "5000"] * 2


def test_node(debian):
    assert debian.ok("node", "-e", NODE).splitlines() == ["root /usr/bin/node root", "served", "true", "done"]
