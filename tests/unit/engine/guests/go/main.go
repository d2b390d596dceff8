// A static Go program: goroutines on small stacks, many threads, processes.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func look(group *sync.WaitGroup) {
	defer group.Done()
	for i := 0; i < 100; i++ {
		_, err := os.Stat("/etc/passwd")
		must(err)
		file, err := os.Open("/etc/passwd")
		must(err)
		must(file.Close())
	}
}

func main() {
	var group sync.WaitGroup
	for i := 0; i < 40; i++ {
		group.Add(1)
		go look(&group)
	}
	group.Wait()
	executable, err := os.Executable()
	must(err)
	directory, err := os.Getwd()
	must(err)
	_, err = exec.Command("/bin/sh", "-c", "exit 3").CombinedOutput()
	files := 0
	must(filepath.Walk("/etc", func(string, os.FileInfo, error) error { files++; return nil }))
	must(os.WriteFile("/tmp/go-file", []byte("x"), 0o644))
	must(os.Remove("/tmp/go-file"))
	fmt.Println(executable, directory, os.Getuid(), err, files > 1)
}
