// wire: the two ends of connections that tests try between pods.
//
//	wire serve NAME PROTO/PORT...                    listens; whoever gets through is told NAME
//	wire try MILLISECONDS PORT FROM TARGET...        tries all targets at once, prints one line for each, in their order
//	wire until SECONDS TARGET CLOSED                 tries again and again until it gets through to the one and not to the other
//
// A target is PROTO/ADDRESS/PORT, with /NAME where one end of ours is expected there. The n-th target is tried from local port PORT+n, so
// that no attempt is taken for part of an earlier connection, and from the address FROM (- for any). An answer is one word:
// open, refused (somebody said that nobody listens), timeout (silence), or failed and why; behind open the name of who answered.
//
// SCTP is spoken by hand over raw sockets (an INIT, answered by an INIT ACK or an ABORT), for not every kernel has it; connection tracking
// and policies see real SCTP.
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	sctpInit    = 1
	sctpInitAck = 2
	sctpAbort   = 6
)

func main() {
	usage := "wire serve NAME PROTO/PORT... | try MILLISECONDS PORT FROM TARGET... | until SECONDS TARGET CLOSED"
	if len(os.Args) < 4 {
		fail(usage)
	}
	switch verb, rest := os.Args[1], os.Args[2:]; {
	case verb == "serve":
		serve(rest[0], rest[1:])
	case verb == "try" && len(rest) > 3:
		tryAll(time.Duration(number(rest[0]))*time.Millisecond, number(rest[1]), rest[2], rest[3:])
	case verb == "until" && len(rest) == 3:
		until(time.Duration(number(rest[0]))*time.Second, rest[1], rest[2])
	default:
		fail(usage)
	}
}

func fail(why string) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(2)
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		fail(err.Error())
	}
	return n
}

func serve(name string, ports []string) {
	sctp := map[uint16]bool{}
	for _, place := range ports {
		proto, port, _ := strings.Cut(place, "/")
		var err error
		switch proto {
		case "tcp":
			err = serveTCP(name, port)
		case "udp":
			err = serveUDP(name, port)
		default:
			sctp[uint16(number(port))] = true
		}
		if err != nil {
			fail(err.Error())
		}
	}
	if len(sctp) > 0 {
		serveSCTP(sctp)
	}
	fmt.Println("listening")
	select {}
}

func serveTCP(name, port string) error {
	listener, err := net.Listen("tcp4", ":"+port)
	if err != nil {
		return err
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				continue
			}
			go func() {
				defer conn.Close()
				fmt.Fprintln(conn, name)
				// the client closes first, so that it is not we who keep the dead connections
				conn.SetReadDeadline(time.Now().Add(5 * time.Second))
				io.Copy(io.Discard, conn)
			}()
		}
	}()
	return nil
}

func serveUDP(name, port string) error {
	conn, err := net.ListenPacket("udp4", ":"+port)
	if err != nil {
		return err
	}
	go func() {
		buffer := make([]byte, 2048)
		for {
			if _, from, err := conn.ReadFrom(buffer); err == nil {
				conn.WriteTo([]byte(name+"\n"), from)
			}
		}
	}()
	return nil
}

func serveSCTP(ports map[uint16]bool) {
	conn, err := net.ListenPacket("ip4:132", "0.0.0.0")
	if err != nil {
		fail(err.Error())
	}
	go func() {
		buffer := make([]byte, 2048)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil || n < 20 || buffer[12] != sctpInit {
				continue
			}
			source, dest := binary.BigEndian.Uint16(buffer), binary.BigEndian.Uint16(buffer[2:])
			tag := binary.BigEndian.Uint32(buffer[16:])
			answer := packet(dest, source, tag, []byte{sctpAbort, 0, 0, 4})
			if ports[dest] {
				// the state cookie parameter (type 7) is mandatory in an INIT ACK
				answer = packet(dest, source, tag, initChunk(sctpInitAck, 1, []byte{0, 7, 0, 8, 'w', 'i', 'r', 'e'}))
			}
			conn.WriteTo(answer, from)
		}
	}()
}

func initChunk(kind byte, tag uint32, parameters []byte) []byte {
	chunk := make([]byte, 20, 20+len(parameters))
	chunk[0] = kind
	binary.BigEndian.PutUint16(chunk[2:], uint16(20+len(parameters)))
	binary.BigEndian.PutUint32(chunk[4:], tag)
	binary.BigEndian.PutUint32(chunk[8:], 65536)
	binary.BigEndian.PutUint16(chunk[12:], 1)
	binary.BigEndian.PutUint16(chunk[14:], 1)
	binary.BigEndian.PutUint32(chunk[16:], 1)
	return append(chunk, parameters...)
}

func packet(source, dest uint16, tag uint32, chunk []byte) []byte {
	whole := make([]byte, 12, 12+len(chunk))
	binary.BigEndian.PutUint16(whole, source)
	binary.BigEndian.PutUint16(whole[2:], dest)
	binary.BigEndian.PutUint32(whole[4:], tag)
	whole = append(whole, chunk...)
	// the checksum goes in little-endian (RFC 9260, appendix A)
	binary.LittleEndian.PutUint32(whole[8:], crc32.Checksum(whole, crc32.MakeTable(crc32.Castagnoli)))
	return whole
}

type target struct {
	proto, address string
	port           int
	name           string
}

func parse(text string) target {
	parts := append(strings.SplitN(text, "/", 4), "")
	if len(parts) < 4 {
		fail("not a target: " + text)
	}
	return target{parts[0], parts[1], number(parts[2]), parts[3]}
}

func tryAll(limit time.Duration, base int, from string, targets []string) {
	answers := make([]string, len(targets))
	var all sync.WaitGroup
	for i, text := range targets {
		all.Add(1)
		go func() {
			defer all.Done()
			answers[i] = attempt(parse(text), limit, base+i, from)
		}()
	}
	all.Wait()
	for i, text := range targets {
		fmt.Println(text, answers[i])
	}
}

func until(limit time.Duration, open, closed string) {
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		answer := attempt(parse(open), 100*time.Millisecond, 0, "-")
		if strings.HasPrefix(answer, "open") && attempt(parse(closed), 100*time.Millisecond, 0, "-") == "timeout" {
			fmt.Println(open, answer)
			return
		}
	}
	fail("never got through to " + open + " and not to " + closed)
}

func attempt(to target, limit time.Duration, port int, from string) string {
	local := net.IPv4zero
	if from != "-" {
		local = net.ParseIP(from)
	}
	name, err := "", errors.New("unknown protocol "+to.proto)
	switch to.proto {
	case "tcp":
		name, err = tryTCP(to, limit, &net.TCPAddr{IP: local, Port: port})
	case "udp":
		name, err = tryUDP(to, limit, &net.UDPAddr{IP: local, Port: port})
	case "sctp":
		name, err = trySCTP(to, limit, local, port)
	}
	var late net.Error
	switch {
	case err == nil && to.name != "" && name != "" && name != to.name:
		return "failed " + name + " answered"
	case err == nil:
		return "open " + name
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.As(err, &late) && late.Timeout():
		return "timeout"
	}
	return "failed " + strings.ReplaceAll(err.Error(), "\n", " ")
}

func tryTCP(to target, limit time.Duration, local *net.TCPAddr) (string, error) {
	// the local port may still belong to a dead connection of an earlier run, to somebody else
	again := func(_, _ string, socket syscall.RawConn) error {
		return socket.Control(func(fd uintptr) { syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1) })
	}
	dialer := net.Dialer{Timeout: limit, LocalAddr: local, Control: again}
	conn, err := dialer.Dial("tcp4", net.JoinHostPort(to.address, strconv.Itoa(to.port)))
	if err != nil || to.name == "" {
		if err == nil {
			conn.Close()
		}
		return "", err
	}
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(limit + 2*time.Second))
	return line(conn)
}

func tryUDP(to target, limit time.Duration, local *net.UDPAddr) (string, error) {
	conn, err := net.DialUDP("udp4", local, &net.UDPAddr{IP: net.ParseIP(to.address), Port: to.port})
	if err != nil {
		return "", err
	}
	defer conn.Close()
	question := []byte("who?\n")
	if to.port == 53 {
		// a name server answers questions only: the root's addresses
		question = []byte{7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1}
	}
	conn.SetDeadline(time.Now().Add(limit))
	if _, err := conn.Write(question); err != nil {
		return "", err
	}
	name, err := line(conn)
	if to.name == "" {
		name = ""
	}
	return name, err
}

func line(conn net.Conn) (string, error) {
	buffer := make([]byte, 512)
	n, err := conn.Read(buffer)
	return strings.TrimSpace(string(buffer[:n])), err
}

func trySCTP(to target, limit time.Duration, local net.IP, port int) (string, error) {
	conn, err := net.ListenPacket("ip4:132", local.String())
	if err != nil {
		return "", err
	}
	defer conn.Close()
	end, peer := time.Now().Add(limit), &net.IPAddr{IP: net.ParseIP(to.address)}
	conn.SetDeadline(end)
	if _, err := conn.WriteTo(packet(uint16(port), uint16(to.port), 0, initChunk(sctpInit, uint32(port), nil)), peer); err != nil {
		return "", err
	}
	buffer := make([]byte, 2048)
	for {
		n, from, err := conn.ReadFrom(buffer)
		if err != nil {
			return "", err
		}
		// a raw socket hears everybody: only what is meant for this attempt counts
		ours := n >= 16 && from.String() == peer.String() && binary.BigEndian.Uint16(buffer) == uint16(to.port) &&
			binary.BigEndian.Uint16(buffer[2:]) == uint16(port) && binary.BigEndian.Uint32(buffer[4:]) == uint32(port)
		if ours && buffer[12] == sctpAbort {
			return "", syscall.ECONNREFUSED
		}
		if ours && buffer[12] == sctpInitAck {
			return "", nil
		}
	}
}
