package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/spf13/cobra"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/runtime/engine"
	"github.com/millrace/millrace/runtime/server"
	"github.com/millrace/millrace/sql/diag"
)

// stopTimeout is how long a stopping server waits for last checkpoints.
const stopTimeout = 20 * time.Second

// config is millrace.toml. Flags override it, it overrides defaults.
type config struct {
	DataDir         string            `toml:"data_dir"`
	KafkaListen     string            `toml:"kafka_listen"`
	KafkaAdvertised string            `toml:"kafka_advertised"`
	MySQLListen     string            `toml:"mysql_listen"`
	HTTPListen      string            `toml:"http_listen"`
	Memory          string            `toml:"memory"`
	LogLevel        string            `toml:"log_level"`
	Variables       map[string]string `toml:"variables"`
	Broker          brokerConfig      `toml:"broker"`
}

func defaultConfig() config {
	return config{DataDir: "millrace-data", KafkaListen: "127.0.0.1:9092", MySQLListen: "127.0.0.1:9030", HTTPListen: "127.0.0.1:8030", LogLevel: "info"}
}

// loadConfig reads the file; unknown keys are errors.
func (c *config) load(path string) error {
	meta, err := toml.DecodeFile(path, c)
	if err != nil {
		return diag.New(diag.BadConfiguration, -1, "cannot read the configuration %s: %v", path, err).Wrap(err)
	}
	if keys := meta.Undecoded(); len(keys) > 0 {
		known := []string{"data_dir", "kafka_listen", "kafka_advertised", "mysql_listen", "http_listen", "memory", "log_level", "variables", "broker"}
		e := diag.New(diag.BadConfiguration, -1, "unknown key '%s' in %s", keys[0], path)
		if near := diag.Suggest(keys[0].String(), known); near != "" {
			return e.WithHint("did you mean '%s'?", near)
		}
		return e.WithHint("keys: %v", known)
	}
	return nil
}

func newServe() *cobra.Command {
	c := &cobra.Command{Use: "serve", Short: "Run a server: engine, broker with a Kafka port, MySQL, HTTP", Args: cobra.NoArgs,
		Long: "Runs a server until SIGTERM or Ctrl-C. When it can be used it prints one line on standard error:\n\n" +
			"  ready kafka=127.0.0.1:9092 mysql=127.0.0.1:9030 http=127.0.0.1:8030 data-dir=millrace-data\n\n" +
			"MySQL clients (mysql, Connector/J, go-sql-driver, PyMySQL) connect to the MySQL port with any user and password: there are no users\n" +
			"yet, so keep it on the loopback address. HTTP works on that port, too, so millrace sql -P takes either.\n\n" +
			"Kafka clients need no password on --kafka-listen. Ports with TLS and SASL, access rules and limits are in the section [broker] of the\n" +
			"configuration, or in the flags --kafka-*:\n\n" +
			"  [[broker.listeners]]\n  listen = \"0.0.0.0:9093\"\n  protocol = \"SASL_SSL\"\n  cert_file = \"server.pem\"\n  key_file = \"server.key\"\n\n" +
			"  [broker.security]\n  acls = true\n  super_users = [\"admin\"]\n  users = { admin = \"file:/run/secrets/admin\" }"}
	cfg := defaultConfig()
	var flags config
	f := c.Flags()
	f.StringVar(&flags.DataDir, "data-dir", cfg.DataDir, "folder of everything the server keeps")
	f.StringVar(&flags.KafkaListen, "kafka-listen", cfg.KafkaListen, "address of the Kafka port")
	f.StringVar(&flags.KafkaAdvertised, "kafka-advertised", "", "host:port told to Kafka clients (default: the address listened on)")
	f.StringVar(&flags.MySQLListen, "mysql-listen", cfg.MySQLListen, "address of the MySQL port, which speaks HTTP, too; empty: none")
	f.StringVar(&flags.HTTPListen, "http-listen", cfg.HTTPListen, "address of the HTTP port")
	f.StringVar(&flags.Memory, "memory", "", "memory for caches of keyed state, e.g. 256MiB")
	f.StringVar(&flags.LogLevel, "log-level", cfg.LogLevel, "debug, info, warn or error")
	var bf brokerFlags
	bf.add(c)
	file := f.String("config", "", "configuration file (TOML); flags override it")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if *file != "" {
			if err := cfg.load(*file); err != nil {
				return err
			}
		}
		for name, set := range map[string]func(){
			"data-dir": func() { cfg.DataDir = flags.DataDir }, "kafka-listen": func() { cfg.KafkaListen = flags.KafkaListen },
			"kafka-advertised": func() { cfg.KafkaAdvertised = flags.KafkaAdvertised }, "mysql-listen": func() { cfg.MySQLListen = flags.MySQLListen },
			"http-listen": func() { cfg.HTTPListen = flags.HTTPListen }, "memory": func() { cfg.Memory = flags.Memory },
			"log-level": func() { cfg.LogLevel = flags.LogLevel },
		} {
			if cmd.Flags().Changed(name) {
				set()
			}
		}
		if err := bf.apply(&cfg.Broker); err != nil {
			return err
		}
		return serve(cmd.Context(), cfg)
	}
	return c
}

func serve(ctx context.Context, cfg config) error {
	tuneMemory()
	logger, err := newLogger(cfg.LogLevel)
	if err != nil {
		return err
	}
	opt := engine.Options{DataDir: cfg.DataDir, KafkaListen: cfg.KafkaListen, Advertised: cfg.KafkaAdvertised, Stdout: os.Stdout, Logger: logger,
		Variables: cfg.Variables}
	brokerOpts, err := cfg.Broker.options()
	if err != nil {
		return err
	}
	opt.Broker = &brokerOpts
	if cfg.Memory != "" {
		if opt.Memory, err = connectors.ParseSize(cfg.Memory); err != nil {
			return diag.New(diag.BadConfiguration, -1, "memory: %v", err)
		}
	}
	s, err := server.Start(server.Options{Engine: opt, HTTPListen: cfg.HTTPListen, MySQLListen: cfg.MySQLListen})
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "ready kafka=%s mysql=%s http=%s data-dir=%s\n", s.Engine.KafkaAddr(), s.MySQLAddr(), s.HTTPAddr(), cfg.DataDir)
	<-ctx.Done()
	stopCtx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	return s.Close(stopCtx)
}

func newLogger(level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, diag.New(diag.BadConfiguration, -1, "unknown log level '%s'", level).WithHint("debug, info, warn or error")
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: l})), nil
}
