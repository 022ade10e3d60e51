package pop3_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"os"

	"orbit/internal/mail/pop3"
)

// Moves all mail of a mailbox to standard output.
func Example() {
	ctx := context.Background()
	conn, err := (&tls.Dialer{}).DialContext(ctx, "tcp", "pop.example.com:995")
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := move(ctx, pop3.New(conn, pop3.Options{})); err != nil {
		fmt.Println(err)
	}
}

func move(ctx context.Context, client *pop3.Client) error {
	defer client.Close() // without QUIT nothing is deleted
	if _, err := client.Greeting(ctx); err != nil {
		return err
	}
	if _, err := client.Login(ctx, "ann", os.Getenv("PASSWORD")); err != nil {
		return err
	}
	mailbox, err := client.Stat(ctx)
	if err != nil {
		return err
	}
	for number := 1; number <= mailbox.Count; number++ {
		message, err := client.Retrieve(ctx, number, 50<<20)
		if err != nil {
			return err
		}
		if _, err := io.Copy(os.Stdout, message); err != nil {
			return err
		}
		if err := client.Delete(ctx, number); err != nil {
			return err
		}
	}
	return client.Quit(ctx)
}
