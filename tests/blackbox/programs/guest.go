// A guest that reports what it sees, one "name: value" line each; with arguments it does one thing:
//
//	guest                 report
//	guest cat FILE        copy a file to standard output
//	guest write FILE TEXT create a file
//	guest spawn PROGRAM.. run a program and report its status
//	guest thread          look at a file from many goroutines, each on a thread of its own
//	guest status N        end with status N
//	guest signal N        end by signal N
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"runtime"
	"strconv"
	"sync"
	"syscall"
)

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "guest:", err)
	return 1
}

func report() int {
	name := "?"
	if who, err := user.Current(); err == nil {
		name = who.Username
	}
	folder, _ := os.Getwd()
	self, _ := os.Readlink("/proc/self/exe")
	fmt.Printf("uid: %d\ngid: %d\nuser: %s\ncwd: %s\nexe: %s\nhome: %s\n",
		os.Getuid(), os.Getgid(), name, folder, self, os.Getenv("HOME"))
	return 0
}

func cat(path string) int {
	file, err := os.Open(path)
	if err != nil {
		return fail(err)
	}
	if _, err = io.Copy(os.Stdout, file); err != nil {
		return fail(err)
	}
	return 0
}

func spawn(words []string) int {
	child := exec.Command(words[0], words[1:]...)
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := child.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		return fail(err)
	}
	status := child.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		fmt.Printf("signal: %d\n", status.Signal())
	} else {
		fmt.Printf("status: %d\n", status.ExitStatus())
	}
	return 0
}

func thread() int {
	const count = 16
	var all sync.WaitGroup
	var failures = make(chan error, count)
	for i := 0; i < count; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			runtime.LockOSThread()
			if _, err := os.Stat("/etc/passwd"); err != nil {
				failures <- err
			}
		}()
	}
	all.Wait()
	close(failures)
	for err := range failures {
		return fail(err)
	}
	fmt.Println("thread: saw /etc/passwd")
	return 0
}

func main() {
	words := os.Args[1:]
	os.Exit(func() int {
		switch {
		case len(words) == 0:
			return report()
		case len(words) == 2 && words[0] == "cat":
			return cat(words[1])
		case len(words) == 3 && words[0] == "write":
			if err := os.WriteFile(words[1], []byte(words[2]), 0644); err != nil {
				return fail(err)
			}
			return 0
		case len(words) >= 2 && words[0] == "spawn":
			return spawn(words[1:])
		case len(words) == 1 && words[0] == "thread":
			return thread()
		case len(words) == 2 && words[0] == "status":
			status, _ := strconv.Atoi(words[1])
			return status
		case len(words) == 2 && words[0] == "signal":
			number, _ := strconv.Atoi(words[1])
			_ = syscall.Kill(os.Getpid(), syscall.Signal(number))
			select {}
		}
		fmt.Fprintln(os.Stderr, "guest: unknown request")
		return 64
	}())
}
