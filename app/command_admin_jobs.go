package app

import (
	"context"
	"fmt"

	"fechatter/chat"
)

func (o office) jobs(ctx context.Context) error {
	counts, err := o.chat.CountJobs(ctx, chat.ByOperator())
	if err != nil {
		return err
	}
	return o.table(func(row func(...any)) error {
		for _, n := range counts {
			row(n.Kind, fmt.Sprint(n.Waiting, " waiting"), fmt.Sprint(n.Claimed, " at work"), fmt.Sprint(n.Dead, " dead"))
		}
		return eachPage(func(p chat.Page) (string, error) {
			dead, next, err := o.chat.DeadJobs(ctx, chat.ByOperator(), p)
			for _, j := range dead {
				row(j.Kind, j.Key, "dead since "+day(j.DeadAt), fmt.Sprint(j.Attempts, " attempts"), j.Problem)
			}
			return next, err
		})
	})
}

func (o office) judgeJob(ctx context.Context, j namedJob, judge func(context.Context, chat.Actor, chat.JobKind, string) error, done string) error {
	if err := judge(ctx, chat.ByOperator(), chat.JobKind(j.Kind), j.Key); err != nil {
		return err
	}
	_, err := fmt.Fprintf(o.out, "%s %s is %s\n", printable(j.Kind), printable(j.Key), done)
	return err
}
